-- Nobody stamps at or before these any more.
SELECT last_stamp, settled FROM annals_store
