-- Who brought a certificate, in the words of the trust graph. All three are NULL for the owner.
ALTER TABLE certificate ADD COLUMN link INTEGER;
ALTER TABLE certificate ADD COLUMN origin INTEGER
    CHECK ((origin IS NULL) = (link IS NULL));
ALTER TABLE certificate ADD COLUMN trusted_origin INTEGER
    CHECK ((trusted_origin IS NULL) = (link IS NULL) AND trusted_origin IN (0, 1));

-- What the owner wrote beside a trust anchor.
ALTER TABLE anchor ADD COLUMN note TEXT NOT NULL DEFAULT '';

-- Foreign roots that prove licences and vouch for nobody.
CREATE TABLE licence_root (
    id INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    note TEXT NOT NULL,
    der BLOB NOT NULL
) STRICT;

-- What the owner blacklisted.
CREATE TABLE blacklist (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL CHECK (scope IN ('certificate', 'key', 'subtree')),
    -- The identity of a certificate, or the name of a key.
    target BLOB NOT NULL CHECK (length(target) = 32),
    reason TEXT NOT NULL,
    UNIQUE (scope, target)
) STRICT;

-- The callsigns of a blacklisted key, by their base, perhaps with no key that was trusted for them.
CREATE TABLE blacklist_callsign (
    id INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES blacklist (id) ON DELETE CASCADE,
    callsign TEXT NOT NULL,
    UNIQUE (entry, callsign)
) STRICT;

-- The keys that were trusted for such a callsign when the owner decided.
CREATE TABLE blacklist_known_key (
    callsign INTEGER NOT NULL REFERENCES blacklist_callsign (id) ON DELETE CASCADE,
    key_id BLOB NOT NULL CHECK (length(key_id) = 32),
    PRIMARY KEY (callsign, key_id)
) STRICT, WITHOUT ROWID;

-- Keys that the owner accepted for a callsign of a blacklisted key.
CREATE TABLE accepted_key (
    callsign TEXT NOT NULL,
    key_id BLOB NOT NULL CHECK (length(key_id) = 32),
    PRIMARY KEY (callsign, key_id)
) STRICT, WITHOUT ROWID;

-- The owner's decisions between keys that claim to follow the same key.
CREATE TABLE chosen_successor (
    old BLOB PRIMARY KEY CHECK (length(old) = 32),
    new BLOB NOT NULL CHECK (length(new) = 32)
) STRICT, WITHOUT ROWID;

-- How many certificates may stand below a key, where the owner changed it.
CREATE TABLE cap (
    key_id BLOB PRIMARY KEY CHECK (length(key_id) = 32),
    certificates INTEGER NOT NULL CHECK (certificates >= 0)
) STRICT, WITHOUT ROWID;

-- Keys that declared certificates dead.
CREATE TABLE tombstone (
    target BLOB NOT NULL REFERENCES certificate (identity) ON DELETE CASCADE,
    signer BLOB NOT NULL CHECK (length(signer) = 32),
    signature TEXT NOT NULL,
    PRIMARY KEY (target, signer)
) STRICT, WITHOUT ROWID;

-- Changes of keys, signed by both.
CREATE TABLE rekey (
    old BLOB NOT NULL CHECK (length(old) = 32),
    new BLOB NOT NULL CHECK (length(new) = 32),
    callsign TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    by_old TEXT NOT NULL,
    by_new TEXT NOT NULL,
    PRIMARY KEY (old, new, callsign, generation)
) STRICT, WITHOUT ROWID;

-- Issue codes that nobody has used. A row holds a secret and goes when the code is used.
CREATE TABLE issue_code (
    place INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    code TEXT NOT NULL,
    callsign TEXT NOT NULL,
    licence_class TEXT,
    -- Seconds since 1970 by the server's clock, for people to read.
    created_at INTEGER NOT NULL
) STRICT;

-- Requests for a certificate that the owner decides or has decided.
CREATE TABLE request (
    place INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    -- The applicant's key, a SubjectPublicKeyInfo in DER.
    public_key BLOB NOT NULL,
    key_id BLOB NOT NULL CHECK (length(key_id) = 32),
    callsign TEXT NOT NULL,
    licence_class TEXT,
    method TEXT NOT NULL,
    note TEXT,
    -- SHA-256 of what was shown as a proof.
    evidence BLOB CHECK (length(evidence) = 32),
    -- Why it waits: a sentence for the owner.
    why TEXT NOT NULL,
    -- Whom its place is charged to: the sender's group of addresses.
    link INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'issued', 'refused')),
    -- Why the owner refused.
    reason TEXT,
    -- The certificate that was issued, by its identity.
    certificate BLOB CHECK (length(certificate) = 32)
) STRICT;

CREATE UNIQUE INDEX request_waiting ON request (key_id) WHERE state = 'waiting';

-- Everything this server issued: a chain of hashes that is only ever added to.
CREATE TABLE issuance (
    place INTEGER PRIMARY KEY CHECK (place >= 0),
    -- The entry as its hash is computed over.
    entry TEXT NOT NULL,
    head BLOB NOT NULL CHECK (length(head) = 32)
) STRICT;

CREATE TRIGGER issuance_is_not_rewritten BEFORE UPDATE ON issuance
BEGIN
    SELECT RAISE (ABORT, 'the issuance log is only added to');
END;
