SELECT number, before_position FROM annals_epochs ORDER BY before_position
