SELECT stream_version, (SELECT count(*) FROM annals_epochs) FROM streams WHERE stream_id = 0
