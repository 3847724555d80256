-- $1: a time at or before which nobody stamps any more.
UPDATE annals_store SET settled = $1::timestamptz WHERE settled < $1::timestamptz
