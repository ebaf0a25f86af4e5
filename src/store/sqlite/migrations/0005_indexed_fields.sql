-- Which paths of `additional_info` a project has an index on. The index itself is partial, over an expression, and made
-- and dropped with the row here; it is named after both. An event that comes costs about 25 ns for each index of another
-- project, and 3-8 µs for each of its own.
CREATE TABLE indexed_field (
    project INTEGER NOT NULL REFERENCES project,
    -- Below `additional_info`, e.g. `additional_info.cluster`.
    path    TEXT NOT NULL,
    PRIMARY KEY (project, path)
) STRICT, WITHOUT ROWID;
