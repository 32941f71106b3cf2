"""The files that a real Exim is set up with; routers and transports bear cPanel's names.

``{...}`` is filled in by whoever starts it.
"""

ALIASES = """\
sales: ann@example.com, ben@example.com, amy@accepts.example, gone@refuses.example
chief: director@example.com
director: ann@example.com
files: "|/bin/cat > /dev/null; : T=x", {folder}/mail/archive
broken: "|/bin/false"
nowhere: :blackhole:
later: :defer: not before tomorrow
"""
CONFIGURATION = """\
primary_hostname = {hostname}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
log_selector = {log_selector}
timezone = {timezone}
{extra}
domainlist local_domains = example.com : example.org : {hostname}
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
queue_only_file = {folder}/hold
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
smtp_accept_max = 0
begin acl
acl_rcpt:
  deny local_parts = refused
       message = we do not want that
  warn local_parts = frozen
       control = freeze
  accept
begin routers
enforce_mail_permissions:
  driver = redirect
  senders = limited@example.org
  allow_fail
  data = :fail: Domain example.org has exceeded the max emails per hour (150/150 (100%)) allowed. \
Message discarded.
virtual_aliases:
  driver = redirect
  domains = +local_domains
  data = ${{lookup{{$local_part}}lsearch{{{folder}/aliases}}}}
  allow_defer
  file_transport = address_file
  pipe_transport = virtual_address_pipe
virtual_user_full:
  driver = accept
  domains = +local_domains
  local_parts = full
  transport = full_userdelivery
virtual_user:
  driver = accept
  domains = +local_domains
  local_parts = ann : ben : carl
  transport = virtual_userdelivery
virtual_aliases_nostar:
  driver = redirect
  domains = +local_domains
  allow_fail
  data = :fail: No Such User Here
lookuphost:
  driver = manualroute
  domains = !+local_domains
  route_data = ${{lookup{{$domain}}lsearch{{{folder}/hosts}}}}
  self = send
  transport = remote_smtp
begin transports
remote_smtp:
  driver = smtp
  connect_timeout = 1s
  command_timeout = 1s
  data_timeout = 1s
  final_timeout = 1s
virtual_userdelivery:
  driver = appendfile
  file = {folder}/mail/$local_part_data
  user = {user}
full_userdelivery:
  driver = appendfile
  file = {folder}/mail/full
  quota = 1
  user = {user}
address_file:
  driver = appendfile
  user = {user}
virtual_address_pipe:
  driver = pipe
  use_shell
  user = {user}
begin retry
puts-off-briefly.example  *  F,1s,1s
*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h
begin authenticators
dovecot_plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = yes
  server_set_id = $auth2
  server_advertise_condition = yes
"""
