-- What Annals keeps of the whole store. Locked, so that a time that is being settled waits for this append.
SELECT last_position, last_stamp, settled, node_id
FROM annals_store
FOR NO KEY UPDATE
