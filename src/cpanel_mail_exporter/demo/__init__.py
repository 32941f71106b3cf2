"""The demo: simulated servers, the exporter and, where it is found, Prometheus, with a live view.

Takes checked `DemoSettings`, gives an exit code. All of it runs as programs of its own, the way an
operator would run them; nothing of the simulator is imported here.
"""

from cpanel_mail_exporter.demo.play import run

__all__ = ["run"]
