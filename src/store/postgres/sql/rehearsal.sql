-- What follows in this transaction waits for nobody's lock for long.
SET LOCAL lock_timeout = '50ms'
