"""What happens to the rows of a shard, as functions of tables; nothing here knows Ray."""
