"""Every metric there is. The comments are the manual: what it counts, and when to worry.

Labels come from closed sets (route templates, group names, kinds): never an id, never what a person typed.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# --- HTTP ---------------------------------------------------------------------------------------------------------
# Answers by method, route template (`/mentorships/{mentorship}`, never the path) and status. Worry when the share of
# 5xx grows; 503 means that admission limits or a missing dependency turn people away.
HTTP_REQUESTS: Final = Counter("turnabout_http_requests", "HTTP answers.", ["method", "route", "status"])
# How long an answer took, event streams excluded.
HTTP_SECONDS: Final = Histogram("turnabout_http_seconds", "Duration of HTTP answers.", ["route"], buckets=_FAST)

# --- Commands -----------------------------------------------------------------------------------------------------
# Commands by name and outcome: done, refused (an expected refusal), conflict (gave up after retries), failed (a bug).
COMMANDS: Final = Counter("turnabout_commands", "Commands carried out.", ["command", "outcome"])

# --- Consumers ----------------------------------------------------------------------------------------------------
# Records by group (`<service>.<handler group>`; `reader` for whole-topic readers) and outcome: done, duplicate,
# skipped (a type this service does not know), parked, deadletter. Any deadletter deserves a look the same day.
CONSUMED: Final = Counter("turnabout_consumed", "Consumed records.", ["group", "outcome"])
# Age of the record handled last. Grows while a handler waits for its database; falls to nothing when it is back.
CONSUMER_LAG_SECONDS: Final = Gauge("turnabout_consumer_lag_seconds", "Age of the last handled record.", ["group"])
# Keys of which a fact is a dead letter, so that their later facts wait. Each is people who do not get what they should.
PARKED_KEYS: Final = Gauge("turnabout_parked_keys", "Keys that wait behind a dead letter.", ["group"])
# Partitions that are paused, by why: opening (a moment after each rebalance), fault (database or broker away for
# long), breaker (nearly everything fails: look at the last deploy), failed (a bug of the consumer itself: see the
# log). The last two do not end by themselves.
CONSUMER_PAUSED: Final = Gauge("turnabout_consumer_paused", "Paused partitions.", ["group", "why"])
# Batches that were set aside unread after the process had died three times in front of them.
QUARANTINED: Final = Counter("turnabout_quarantined_batches", "Batches set aside unread.", ["group"])

# --- Relay and pending work ---------------------------------------------------------------------------------------
# Records that the broker acknowledged. Flat while commands go on means that the broker refuses or is away.
RELAY_PUBLISHED: Final = Counter("turnabout_relay_published", "Records acknowledged by the broker.")
# How long sending one document's pending records took.
RELAY_SECONDS: Final = Histogram("turnabout_relay_seconds", "Duration of a document's publishing.", buckets=_FAST)
# States that were published once more after another instance had taken over. A few at each crash, else none.
RELAY_HEALED: Final = Counter("turnabout_relay_healed", "States published again after a take-over.")
# Age of the oldest thing that a document of the collection still owes. The one number to alert on: nothing else shows
# a stuck relay.
PENDING_OLDEST_SECONDS: Final = Gauge("turnabout_pending_oldest_seconds", "Age of the oldest entry.", ["collection"])
# Work on another document that raised, by kind; it is tried again. Steady growth is a bug in that handler.
WORK_FAILURES: Final = Counter("turnabout_work_failures", "Failed attempts at pending work.", ["kind"])

# --- Database -----------------------------------------------------------------------------------------------------
# Write operations by collection, a bulk of n counting as n. What a command costs is the difference of two scrapes.
DATABASE_WRITES: Final = Counter("turnabout_database_writes", "Write operations.", ["collection"])

# --- Timers -------------------------------------------------------------------------------------------------------
# Documents whose time came (expiry, reminders, delayed closings).
TIMERS_FIRED: Final = Counter("turnabout_timers_fired", "Timers that fired.")

# --- The closed lists themselves ----------------------------------------------------------------------------------
# Fields of log lines and attributes of spans that are not on their allow-list and were left out. Should stay at
# nothing: a growing count is a field that somebody added without asking what it may hold.
FIELDS_DROPPED: Final = Counter("turnabout_fields_dropped", "Fields left out by an allow-list.", ["where"])
