"""Every family, declared once: name, kind, labels, and where its figure comes from."""

from cpanel_mail_exporter.ledger import counters
from cpanel_mail_exporter.model.family import Family
from cpanel_mail_exporter.model.records import DELIVERY_LABELS

EMAIL_USER_STATS = Family(
    "email_user_stats",
    "gauge",
    "Sums by sending user over the window so far, as WHM's emailtrack_user_stats gives them; "
    "a sum over a window falls when the window moves, so it is not for rate().",
    ("domain", "user", "stat_type"),
)
EMAIL_FLAG_STATS = Family(
    "email_flag_stats",
    "gauge",
    "1 where the user has reached a sending limit, from REACHED_MAXEMAILS and "
    "REACHED_MAXDEFERFAIL of WHM's emailtrack_user_stats.",
    ("domain", "user", "flag"),
)
EMAIL_USER_INFO = Family(
    "email_user_info",
    "gauge",
    "Always 1; OWNER and PRIMARY_DOMAIN of a user of email_user_stats, "
    "from WHM's emailtrack_user_stats.",
    ("domain", "user", "owner", "primary_domain"),
)
EMAIL_LOGS = Family(
    "email_logs",
    "gauge",
    "1 for each delivery record of the window, all of its fields as labels, from WHM's "
    "emailtrack_search; where labels were left out, the number of records that share the others.",
    DELIVERY_LABELS,
)
DELIVERY_EVENTS = Family(
    "cpanel_mail_delivery_events_total",
    "counter",
    "Rows of WHM's emailtrack_search, each counted once, those in progress left out: one for each "
    "attempt at a recipient, counted when it is learned of; direction and provider are those of "
    "the destination.",
    ("outcome", "direction", "provider"),
)
USER_DELIVERY_EVENTS = Family(
    "cpanel_mail_user_delivery_events_total",
    "counter",
    "The same events by user and domain of the sender, from WHM's emailtrack_search; those of "
    "pairs without series of their own are in _other. Pairs can change between the two, so use "
    "sum(rate()) or sum(increase()): sum() of the raw counters isn't right.",
    ("user", "domain", "outcome"),
)
DELIVERY_FAILURES = Family(
    "cpanel_mail_delivery_failures_total",
    "counter",
    "Recipients that were given up, the failures among cpanel_mail_delivery_events_total, by what "
    "the message, type and router of WHM's emailtrack_search say of why; severity follows from "
    "the reason: hard (trying again won't help), soft, or block (something about the sender).",
    ("reason", "severity", "provider", "direction"),
)
DELIVERY_DEFERRALS = Family(
    "cpanel_mail_delivery_deferrals_total",
    "counter",
    "Attempts that were put off, the deferrals among cpanel_mail_delivery_events_total, by what "
    "the message, type and router of WHM's emailtrack_search say of why: a recipient that is "
    "tried five times is counted five times.",
    ("reason", "severity", "provider", "direction"),
)
SMTP_REPLIES = Family(
    "cpanel_mail_smtp_replies_total",
    "counter",
    "Failures and deferrals whose message, from WHM's emailtrack_search, holds a reply code, by "
    "that and the enhanced status code beside it (empty without one); those of pairs without "
    "series of their own are in _other, so use sum(rate()) or sum(increase()).",
    ("code", "enhanced_code"),
)
TIME_TO_DELIVER = Family(
    "cpanel_mail_time_to_deliver_seconds",
    "histogram",
    "From the arrival of a message to its delivery to a recipient, for each success: "
    "actionunixtime minus sendunixtime of WHM's emailtrack_search.",
    ("direction", "provider"),
    bounds=counters.BOUNDS[counters.TIME_TO_DELIVER],
)
TIME_TO_FAIL = Family(
    "cpanel_mail_time_to_fail_seconds",
    "histogram",
    "From the arrival of a message until a recipient was given up, for each failure: "
    "actionunixtime minus sendunixtime of WHM's emailtrack_search.",
    ("direction",),
    bounds=counters.BOUNDS[counters.TIME_TO_FAIL],
)
DELIVERY_ATTEMPTS = Family(
    "cpanel_mail_delivery_attempts",
    "histogram",
    "Deferrals of a recipient before a success or failure, plus one, from WHM's "
    "emailtrack_search; observed 65 minutes after the outcome, since rows of deferrals can come "
    "late, so it lags behind the events.",
    ("direction",),
    bounds=counters.BOUNDS[counters.ATTEMPTS],
)
MESSAGE_SIZE = Family(
    "cpanel_mail_message_size_bytes",
    "histogram",
    "Size of each message with a counted event, once for each direction it went, "
    "from WHM's emailtrack_search.",
    ("direction",),
    bounds=counters.BOUNDS[counters.MESSAGE_SIZE],
)
DEFERRED_RECIPIENTS = Family(
    "cpanel_mail_deferred_recipients",
    "gauge",
    "Recipients with a deferral and neither success nor failure yet, of mail within the look-back, "
    "from the rows of WHM's emailtrack_search that have been learned.",
)
MESSAGES_IN_PROGRESS = Family(
    "cpanel_mail_messages_in_progress",
    "gauge",
    "Messages of the last day that have neither been delivered, deferred nor given up yet, "
    "INPROGRESSCOUNT of WHM's emailtrack_stats; absent where WHM doesn't tell.",
)
NEWEST_EVENT = Family(
    "cpanel_mail_newest_event_timestamp_seconds",
    "gauge",
    "Time of action (actionunixtime of WHM's emailtrack_search) of the newest event that has been "
    "read; absent before the first.",
)
BACKLOG_SLICES = Family(
    "cpanel_mail_backlog_slices",
    "gauge",
    "Slices of send time within the look-back that are still to be read; above 0 the counters "
    "lack events, and will jump when these are learned.",
)
LAST_DAY_REPORTED = Family(
    "cpanel_mail_last_day_events_reported",
    "gauge",
    "Events of mail sent on the last full UTC day, as WHM's emailtrack_stats counts them.",
    ("outcome",),
)
LAST_DAY_COUNTED = Family(
    "cpanel_mail_last_day_events_counted",
    "gauge",
    "Events known of mail sent on the last full UTC day, those from before counting began "
    "included, to compare with cpanel_mail_last_day_events_reported: if the two differ for good, "
    "the counters lack some, or WHM counts otherwise than it lists.",
    ("outcome",),
)
SERVER_BEHAVIOUR = Family(
    "cpanel_mail_server_behaviour_info",
    "gauge",
    "Always 1; what real deferrals have taught of this server: whether ranges of WHM's "
    "emailtrack_stats go by send or action time (unavailable if it doesn't answer), and whether a "
    "filter of emailtrack_search on actionunixtime works or fails; unknown until one is seen.",
    ("totals_go_by", "action_filter"),
)
API_DRIFT = Family(
    "cpanel_mail_api_drift_total",
    "counter",
    "What is other in WHM's emailtrack_search than its documentation says: events of an unknown "
    "type, without a time of action, of a size that can be none; at every reading again rows "
    "without any readable time, which are not counted as events; and answers with fields that are "
    "not documented, or of a changed shape.",
    ("what",),
)
COUNTING_SINCE = Family(
    "cpanel_mail_counting_since_timestamp_seconds",
    "gauge",
    "Events that happened earlier are not in the counters; 0 if everything that was found is.",
)
LEDGER_SIZE = Family(
    "cpanel_mail_ledger_size_bytes",
    "gauge",
    "Space on disk of what is remembered of this server's events; 0 if it is kept in memory.",
)
QUEUE_MESSAGES = Family(
    "cpanel_mail_queue_messages",
    "gauge",
    "Messages in the mail queue, from WHM's fetch_mail_queue: frozen ones, which Exim tries no "
    "more, and all others (active).",
    ("state",),
)
QUEUE_BYTES = Family(
    "cpanel_mail_queue_bytes",
    "gauge",
    "Size of all messages in the mail queue, size of WHM's fetch_mail_queue.",
)
QUEUE_BOUNCES = Family(
    "cpanel_mail_queue_bounce_messages",
    "gauge",
    "Messages in the mail queue with an empty sender, from WHM's fetch_mail_queue: reports that "
    "mail could not be delivered, and other mail that nobody is to be told about.",
)
QUEUE_OLDEST = Family(
    "cpanel_mail_queue_oldest_message_timestamp_seconds",
    "gauge",
    "When the oldest message in the mail queue arrived, time of WHM's fetch_mail_queue; absent "
    "while the queue is empty.",
)
QUEUE_OLDER = Family(
    "cpanel_mail_queue_older_messages",
    "gauge",
    "Messages in the mail queue that arrived longer ago than this by the server's clock, time of "
    "WHM's fetch_mail_queue; one that is older than 4d is counted under each age.",
    ("than",),
)
QUEUE_RECIPIENTS = Family(
    "cpanel_mail_queue_recipients",
    "gauge",
    "Recipients that messages in the mail queue wait for, recipients of WHM's fetch_mail_queue, by "
    "the provider their domain belongs to; customers' own domains are other, since the queue "
    "doesn't say where they are hosted.",
    ("provider",),
)
QUEUE_USER_MESSAGES = Family(
    "cpanel_mail_queue_user_messages",
    "gauge",
    "Messages in the mail queue by account, user of WHM's fetch_mail_queue, empty where WHM names "
    "none; those of accounts without series of their own, which have the fewest, are in _other.",
    ("user",),
)
ACCOUNTS = Family(
    "cpanel_mail_accounts",
    "gauge",
    "Accounts by what becomes of the mail they send, from WHM's listaccts, each in one state: "
    "suspended as a whole, else outgoing mail suspended (refused), else outgoing mail held (kept "
    "in the queue), else active; a state that WHM doesn't tell is absent.",
    ("state",),
)
ACCOUNT_HOURLY_LIMIT = Family(
    "cpanel_mail_account_hourly_limit_messages",
    "gauge",
    "Messages that each domain of the account may send to other servers in an hour, "
    "max_email_per_hour of WHM's listaccts; absent where it is unlimited or the server's default.",
    ("user",),
)
ACCOUNT_HOURLY_SENT = Family(
    "cpanel_mail_account_hourly_sent_messages",
    "gauge",
    "Messages sent to other servers within the hour, one for each recipient: where WHM says that "
    "the limit is reached its number in REACHED_MAXEMAILS of emailtrack_user_stats, of the domain "
    "that sent most, else successes of the last 60 minutes from emailtrack_search, of all domains; "
    "absent at 0.",
    ("user",),
)
ACCOUNT_MAX_DEFER_FAIL_RATIO = Family(
    "cpanel_mail_account_max_defer_fail_ratio",
    "gauge",
    "Share of deferrals and failures (0 to 1) that stops a domain of the account until the hour is "
    "over, max_defer_fail_percentage of WHM's listaccts; it takes a least number of them too, 5 by "
    "default; absent where it is unlimited or the server's default.",
    ("user",),
)
ACCOUNT_DEFER_FAIL_RATIO = Family(
    "cpanel_mail_account_defer_fail_ratio",
    "gauge",
    "Deferrals and failures out of these and the successes, of mail to other servers within the "
    "hour (0 to 1): where WHM says that the limit is reached the percentage in "
    "REACHED_MAXDEFERFAIL of emailtrack_user_stats, else of the last 60 minutes from "
    "emailtrack_search; absent at 0.",
    ("user",),
)
ACCOUNT_OUTGOING_SUSPENDED = Family(
    "cpanel_mail_account_outgoing_suspended",
    "gauge",
    "1 where mail that the account sends is refused, outgoing_mail_suspended of WHM's listaccts; "
    "absent elsewhere.",
    ("user",),
)
ACCOUNT_OUTGOING_HELD = Family(
    "cpanel_mail_account_outgoing_held",
    "gauge",
    "1 where mail that the account sends is kept in the queue, outgoing_mail_hold of WHM's "
    "listaccts; absent elsewhere.",
    ("user",),
)
ACCOUNT_UNIQUE_RECIPIENTS = Family(
    "cpanel_mail_account_unique_recipients",
    "gauge",
    "Different pairs of sending address and recipient in mail sent within the last hour, from "
    "WHM's get_unique_sender_recipient_count_per_user; absent at 0.",
    ("user",),
)
SPAM_RUN_SCORE = Family(
    "cpanel_mail_account_spam_run_score",
    "gauge",
    "From 0 to 1, how much what the account sent to other servers in the last ten minutes looks "
    "like a run of spam, from WHM's emailtrack_search by time of action: much more than usual for "
    "this time, and at once recipients that don't exist or hands in many networks; from 0.6 on "
    "somebody should look. Absent below 20 recipients in that time.",
    ("user",),
)
SPAM_RUN_SCORE_PART = Family(
    "cpanel_mail_account_spam_run_score_part",
    "gauge",
    "What the score is made of, each from 0 (as usual) to 1, from WHM's emailtrack_search: rate, "
    "unknown_recipients, networks, sending_addresses, unique_recipients; the score is "
    "unique_recipients * sqrt(rate * (1 - (1 - unknown_recipients) * (1 - networks) * "
    "(1 - 0.3 * sending_addresses))).",
    ("user", "part"),
)
RECENT_RECIPIENTS = Family(
    "cpanel_mail_account_recent_recipients",
    "gauge",
    "Recipients at other servers that were tried for the first time in the last ten minutes, those "
    "that cPanel's limits stopped included, from WHM's emailtrack_search by time of action; only "
    "of accounts with a score.",
    ("user",),
)
USUAL_RECIPIENTS = Family(
    "cpanel_mail_account_usual_recent_recipients",
    "gauge",
    "A high but not unusual value of cpanel_mail_account_recent_recipients for this hour of the "
    "week, from up to 28 days of WHM's emailtrack_search; at least 30.",
    ("user",),
)
RECENT_UNKNOWN_RATIO = Family(
    "cpanel_mail_account_recent_unknown_recipient_ratio",
    "gauge",
    "Recipients that don't exist out of those delivered or given up at other servers in the last "
    "ten minutes (0 to 1), from WHM's emailtrack_search by time of action; absent below 20 "
    "outcomes, and where the account has no score.",
    ("user",),
)
RECENT_UNIQUE_RECIPIENTS = Family(
    "cpanel_mail_account_recent_unique_recipients",
    "gauge",
    "Different recipients (recipient of WHM's emailtrack_search) of the account's mail to other "
    "servers in the last 10 to 15 minutes, estimated to about 3 %, at most 7,100; only of accounts "
    "with a score.",
    ("user",),
)
RECENT_NETWORKS = Family(
    "cpanel_mail_account_recent_networks",
    "gauge",
    "Different networks (/24 or /48 of senderip of WHM's emailtrack_search, the server's own left "
    "out) that handed in the account's mail to other servers in the last 10 to 15 minutes, "
    "estimated to about 4 %; only of accounts with a score.",
    ("user",),
)
RECENT_SENDING_ADDRESSES = Family(
    "cpanel_mail_account_recent_sending_addresses",
    "gauge",
    "Different senders (sender of WHM's emailtrack_search) of the account's mail to other servers "
    "in the last 10 to 15 minutes, estimated to about 4 %; only of accounts with a score.",
    ("user",),
)
SERVICE_RUNNING = Family(
    "cpanel_mail_service_running",
    "gauge",
    "1 if the service runs, 0 if not, running of WHM's servicestatus; 0 too where it is switched "
    "off or not installed, and absent where WHM doesn't monitor it.",
    ("service",),
)
SERVER_INFO = Family(
    "cpanel_mail_server_info",
    "gauge",
    "Always 1; name of the server and version of cPanel & WHM, from WHM's gethostname and version; "
    "a label is empty while it isn't known.",
    ("hostname", "version"),
)
UP = Family(
    "cpanel_mail_up",
    "gauge",
    "1 if the last poll reached WHM, was let in and got at least one good answer; "
    "absent before the first poll ended.",
)
COLLECTOR_SUCCESS = Family(
    "cpanel_mail_collector_success",
    "gauge",
    "1 if all that this collector asked was answered whole when it was asked last; 0 too while "
    "nothing of the server answers.",
    ("collector",),
)
COLLECTOR_SUPPORTED = Family(
    "cpanel_mail_collector_supported",
    "gauge",
    "0 while this collector is switched off because WHM, which answered others, refused it its "
    "function: the token lacks the privilege, or the server the function; tried again hourly. "
    "Absent before it was asked.",
    ("collector",),
)
POLLS = Family(
    "cpanel_mail_polls_total", "counter", "Polls in which this collector asked.", ("collector",)
)
POLL_FAILURES = Family(
    "cpanel_mail_poll_failures_total",
    "counter",
    "Polls in which this collector failed, by what went wrong.",
    ("collector", "kind"),
)
LAST_POLL_DURATION = Family(
    "cpanel_mail_last_poll_duration_seconds",
    "gauge",
    "How long this collector's part of the last poll took, from its first request to its last "
    "answer.",
    ("collector",),
)
LAST_SUCCESS = Family(
    "cpanel_mail_last_success_timestamp_seconds",
    "gauge",
    "When this collector last succeeded; absent before the first success.",
    ("collector",),
)
ROWS_READ = Family(
    "cpanel_mail_rows_read_total",
    "counter",
    "Rows received from WHM, rows that were read again and rejected ones included.",
    ("collector",),
)
ROWS_REJECTED = Family(
    "cpanel_mail_rows_rejected_total",
    "counter",
    "Rows from WHM that could not be decoded and are missing from the families.",
    ("collector",),
)
ROWS_OUTSIDE_RANGE = Family(
    "cpanel_mail_rows_outside_range",
    "gauge",
    "Rows of the last complete poll that are outside the range that was asked for or have no "
    "readable time; more than a few mean that the server ignores filters.",
    ("collector",),
)
REPEATED_PAGES = Family(
    "cpanel_mail_repeated_pages_total",
    "counter",
    "Pages from WHM that were equal to the page before; they end the reading of a slice.",
    ("collector",),
)
FLAGS_UNREADABLE = Family(
    "cpanel_mail_flags_unreadable_total",
    "counter",
    "Limit flags of WHM's emailtrack_user_stats that were absent or not understood.",
)
SLICES_INCOMPLETE = Family(
    "cpanel_mail_slices_incomplete",
    "gauge",
    "Slices that WHM cut in the last complete poll and that can't be made smaller; "
    "above 0, the collector's families lack rows.",
    ("collector",),
)
POLL_INTERVAL = Family(
    "cpanel_mail_poll_interval_seconds", "gauge", "Configured time between two polls."
)
WINDOW_START = Family(
    "cpanel_mail_window_start_timestamp_seconds",
    "gauge",
    "Where the window begins that a windowed family describes.",
    ("family",),
)
CLOCK_SKEW = Family(
    "cpanel_mail_clock_skew_seconds",
    "gauge",
    "Server's clock minus the exporter's, from the HTTP Date of WHM's answers (whole seconds).",
)
LOGIN_RETRY = Family(
    "cpanel_mail_login_retry_timestamp_seconds",
    "gauge",
    "When a refused login is tried again; absent while logins work.",
)
SERIES = Family(
    "cpanel_mail_series",
    "gauge",
    "Series published of a bounded or windowed family, without those in _other; of "
    "cpanel_mail_user_delivery_events_total pairs of user and domain. Above their limit for a "
    "minute or two when label sets change places.",
    ("family",),
)
SERIES_WANTED = Family(
    "cpanel_mail_series_wanted",
    "gauge",
    "Series that a family would have without its bound.",
    ("family",),
)
SERIES_LIMIT = Family(
    "cpanel_mail_series_limit",
    "gauge",
    "Most series that a family may have for this server; absent where there is no bound.",
    ("family",),
)
EXPOSITION_SIZE = Family(
    "cpanel_mail_exposition_size_bytes",
    "gauge",
    "Size of the newest answer to /metrics before this one, by format (text, openmetrics) and "
    "encoding (identity, gzip); absent in the first.",
    ("format", "encoding"),
    of_server=False,
)
BUILD_INFO = Family(
    "cpanel_mail_build_info",
    "gauge",
    "Always 1; version of the exporter and of the Python it runs on.",
    ("version", "python_version"),
    of_server=False,
)

FAMILIES: tuple[Family, ...] = (
    EMAIL_USER_STATS,
    EMAIL_FLAG_STATS,
    EMAIL_USER_INFO,
    EMAIL_LOGS,
    DELIVERY_EVENTS,
    USER_DELIVERY_EVENTS,
    DELIVERY_FAILURES,
    DELIVERY_DEFERRALS,
    SMTP_REPLIES,
    TIME_TO_DELIVER,
    TIME_TO_FAIL,
    DELIVERY_ATTEMPTS,
    MESSAGE_SIZE,
    DEFERRED_RECIPIENTS,
    MESSAGES_IN_PROGRESS,
    NEWEST_EVENT,
    BACKLOG_SLICES,
    LAST_DAY_REPORTED,
    LAST_DAY_COUNTED,
    API_DRIFT,
    SERVER_BEHAVIOUR,
    COUNTING_SINCE,
    LEDGER_SIZE,
    QUEUE_MESSAGES,
    QUEUE_BYTES,
    QUEUE_BOUNCES,
    QUEUE_OLDEST,
    QUEUE_OLDER,
    QUEUE_RECIPIENTS,
    QUEUE_USER_MESSAGES,
    ACCOUNTS,
    ACCOUNT_HOURLY_LIMIT,
    ACCOUNT_HOURLY_SENT,
    ACCOUNT_MAX_DEFER_FAIL_RATIO,
    ACCOUNT_DEFER_FAIL_RATIO,
    ACCOUNT_OUTGOING_SUSPENDED,
    ACCOUNT_OUTGOING_HELD,
    ACCOUNT_UNIQUE_RECIPIENTS,
    SPAM_RUN_SCORE,
    SPAM_RUN_SCORE_PART,
    RECENT_RECIPIENTS,
    USUAL_RECIPIENTS,
    RECENT_UNKNOWN_RATIO,
    RECENT_UNIQUE_RECIPIENTS,
    RECENT_NETWORKS,
    RECENT_SENDING_ADDRESSES,
    SERVICE_RUNNING,
    SERVER_INFO,
    UP,
    COLLECTOR_SUCCESS,
    COLLECTOR_SUPPORTED,
    POLLS,
    POLL_FAILURES,
    LAST_POLL_DURATION,
    LAST_SUCCESS,
    ROWS_READ,
    ROWS_REJECTED,
    ROWS_OUTSIDE_RANGE,
    REPEATED_PAGES,
    FLAGS_UNREADABLE,
    SLICES_INCOMPLETE,
    POLL_INTERVAL,
    WINDOW_START,
    CLOCK_SKEW,
    LOGIN_RETRY,
    SERIES,
    SERIES_WANTED,
    SERIES_LIMIT,
    EXPOSITION_SIZE,
    BUILD_INFO,
)
"""All families in the order they are shown."""

PROCESS_FAMILIES: tuple[str, ...] = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
"""The exporter's own process, as Prometheus' client library declares it; without labels."""

BUCKET_LABEL = "le"
"""Label of the buckets of histograms."""

USER_STATS_LABELS: tuple[str, ...] = ("owner", "primary_domain")
"""Labels that `user_stats.labels` can add to email_user_stats and email_flag_stats."""


def user_stats_family(family: Family, extra: tuple[str, ...]) -> Family:
    """*family* with the labels of `user_stats.labels` after its own."""
    if not extra:
        return family
    return Family(family.name, family.kind, family.help, family.labels + extra)


def reserved_labels() -> frozenset[str]:
    """Label names that a server's own labels may not take."""
    about_servers = (family for family in FAMILIES if family.of_server)
    own = frozenset(label for family in about_servers for label in family.labels)
    return own | {*USER_STATS_LABELS, BUCKET_LABEL}
