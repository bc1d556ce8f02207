"""Every metric there is. The comments are the manual: what it counts, and when to worry.

Labels come from closed sets (route templates, group names, kinds): never an id, never what a person typed. The pages
for operators read these and nothing else; `chassis.web.operations_report` says from which figure on they worry.

What every process of a service sees alike (dead letters, parked keys, what documents owe, timers) each of them tells:
take the greatest. Lag is of the partitions that a process has: take the greatest of seconds, and the sum of records.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram, Info

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# --- Processes ----------------------------------------------------------------------------------------------------
# Which process this is, of which version. Two versions at a time are a deploy under way.
PROCESS: Final = Info("turnabout_process", "The service, the instance's stable name, and the version of its code.")
# When it started, in unix seconds. One that is young each time you look dies again and again: see its log.
STARTED: Final = Gauge("turnabout_started_timestamp_seconds", "When the process started.")
# 1 for what keeps the process from being ready: database, broker, topics (still reading them), access (the broker
# refuses us). All 0 is ready; `/readyz` says the same in sentences. Worry when it lasts longer than a start does.
WAITING_FOR: Final = Gauge("turnabout_waiting_for", "What keeps the process from being ready.", ["what"])
# When the database, and for whoever reads topics the broker, answered last, in unix seconds. Asked every five
# seconds; what those two know is as old as this. Worry from a minute on.
ANSWERED: Final = Gauge("turnabout_answered_timestamp_seconds", "When it answered last.", ["who"])

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
# Age of the oldest record that has no outcome yet, 0 at the end of the topics; looked at from beside every five
# seconds, so it grows while the group stands still, whatever it stands at. `reader` is the whole-topic readers.
CONSUMER_LAG_SECONDS: Final = Gauge("turnabout_consumer_lag_seconds", "Age of the oldest unhandled record.", ["group"])
# How many records stand between the group and the end of its topics. Many that shrink are a group that catches up.
CONSUMER_LAG_RECORDS: Final = Gauge("turnabout_consumer_lag_records", "Records not yet handled.", ["group"])
# Dead letters that nobody has settled, by why they died: handler-failed, bad-body, bad-envelope, quarantined, and
# parked for those that only wait behind another. Any deserves a look the same day.
DEAD_LETTERS: Final = Gauge("turnabout_dead_letters", "Dead letters nobody has settled.", ["group", "reason"])
# Age of the oldest of them. Letters are kept for 14 days.
DEAD_LETTERS_SECONDS: Final = Gauge("turnabout_dead_letters_oldest_seconds", "Age of the oldest.", ["group", "reason"])
# Keys of which a fact is a dead letter, so that their later facts wait. Each is people who do not get what they should.
PARKED_KEYS: Final = Gauge("turnabout_parked_keys", "Keys that wait behind a dead letter.", ["group"])
# For how long the first of them has waited.
PARKED_SECONDS: Final = Gauge("turnabout_parked_keys_oldest_seconds", "Age of the oldest parked key.", ["group"])
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
# When the broker acknowledged a record last, in unix seconds.
RELAY_ACKNOWLEDGED: Final = Gauge("turnabout_relay_acknowledged_timestamp_seconds", "Last acknowledgement.")
# States that were published once more after another instance had taken over. A few at each crash, else none.
RELAY_HEALED: Final = Counter("turnabout_relay_healed", "States published again after a take-over.")
# Age of the oldest thing that a document of the collection still owes. The one number to alert on: nothing else shows
# a stuck relay.
PENDING_OLDEST_SECONDS: Final = Gauge("turnabout_pending_oldest_seconds", "Age of the oldest entry.", ["collection"])
# Work on another document that raised, by kind; it is tried again. Steady growth is a bug in that handler.
WORK_FAILURES: Final = Counter("turnabout_work_failures", "Failed attempts at pending work.", ["kind"])
# When an attempt failed last, in unix seconds. Work is tried every few seconds, so a minute of rest is a success.
WORK_FAILED: Final = Gauge("turnabout_work_failed_timestamp_seconds", "When an attempt failed last.", ["kind"])

# --- Database -----------------------------------------------------------------------------------------------------
# Write operations by collection, a bulk of n counting as n. What a command costs is the difference of two scrapes.
DATABASE_WRITES: Final = Counter("turnabout_database_writes", "Write operations.", ["collection"])

# --- Timers -------------------------------------------------------------------------------------------------------
# Documents whose time came (expiry, reminders, delayed closings).
TIMERS_FIRED: Final = Counter("turnabout_timers_fired", "Timers that fired.")
# Documents whose time has come and that did not fire, by `<collection>.<field>`; 200 stands for many. What is due fires
# within a second or two: what stays is refused each time (`timer.refused` in the log).
TIMERS_DUE: Final = Gauge("turnabout_timers_due", "Timers that are due and did not fire.", ["timer"])
# How late the oldest of them is, by the clock that people see.
TIMERS_LATE_SECONDS: Final = Gauge("turnabout_timers_late_seconds", "How late the oldest is.", ["timer"])

# --- The closed lists themselves ----------------------------------------------------------------------------------
# Fields of log lines and attributes of spans that are not on their allow-list and were left out. Should stay at
# nothing: a growing count is a field that somebody added without asking what it may hold.
FIELDS_DROPPED: Final = Counter("turnabout_fields_dropped", "Fields left out by an allow-list.", ["where"])
