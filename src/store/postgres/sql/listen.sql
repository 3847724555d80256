LISTEN :channel
