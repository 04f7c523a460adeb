-- How often this server began to coordinate with others: its records are newer than those of every start before.
CREATE TABLE boot (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    -- 8 bytes, big-endian.
    counter BLOB NOT NULL CHECK (length(counter) = 8)
) STRICT;

-- The newest record seen of every other server, so that an old one is not taken for news after a restart.
CREATE TABLE server_record (
    -- The first 16 bytes of its certificate's fingerprint.
    server BLOB PRIMARY KEY CHECK (length(server) = 16),
    -- 8 bytes each, big-endian.
    boot BLOB NOT NULL CHECK (length(boot) = 8),
    sequence BLOB NOT NULL CHECK (length(sequence) = 8),
    body BLOB NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- Servers the owner named.
CREATE TABLE peer (
    endpoint TEXT PRIMARY KEY
) STRICT;
