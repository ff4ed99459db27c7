"""What sinks share that store in a database elsewhere: rows of messages, a spool, batches and receipts."""
