"""Whom labels don't name nobody else names either, whether there are such labels or not."""

from pathlib import Path

import aiohttp
import pytest

from cpanel_mail_exporter.app.exporter import Exporter
from cpanel_mail_exporter.app.ledgers import open_ledgers
from cpanel_mail_exporter.app.privacy import open_mask
from cpanel_mail_exporter.config.settings import EmailLogsSettings, Privacy
from cpanel_mail_exporter.model.window import Today
from tests.fake_clock import FakeClock
from tests.unit.app.test_ledgers import settings


@pytest.mark.parametrize("window", [Today(), None], ids=["email_logs on", "email_logs off"])
@pytest.mark.parametrize("privacy", ["full", "hash", "domain"])
async def test_privacy_holds_for_refusals_and_exemplars_too(
    tmp_path: Path, privacy: Privacy, window: Today | None
) -> None:
    wanted = settings(tmp_path, email_logs=EmailLogsSettings(window=window, privacy=privacy))
    ledgers = open_ledgers(wanted)
    async with aiohttp.ClientSession() as session:
        mask = open_mask(wanted)
        exporter = Exporter(wanted, session, FakeClock(0.0), ledgers, mask=mask)
    ledgers.close()
    is_hidden = privacy != "full"
    assert [poller._plan.hides_people for poller in exporter.pollers] == [is_hidden] * 2
    assert [board.terms.exemplars for board in exporter.board.servers] == [not is_hidden] * 2
