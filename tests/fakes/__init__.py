"""In-memory doubles of the database and of Kafka, held to the real ones by the contract suites in `tests/chassis`."""
