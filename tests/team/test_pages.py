"""What the team's members see in a browser, and what nobody else sees."""

import pytest
from browsing import REMEDY, chromium, window
from playwright.sync_api import Error

# MLflow warns of what it uses of others.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason=REMEDY),
    pytest.mark.filterwarnings("ignore::Warning"),
]

EPOCHS = 3


@pytest.fixture
def links(server, folder, key):
    """The addresses that `make ui` prints for whoever publishes there."""
    login = server.join("anna")
    folder.end(folder.start(key, login, epochs=EPOCHS))
    return dict(line.split(": ", 1) for line in folder.run("tracking.ui", login).stdout.splitlines())


def test_a_member_whom_the_administrator_adds_sees_the_runs_and_nobody_else(server, links):
    admin = {"username": server.admin, "password": server.secrets["MLFLOW_TRACKING_PASSWORD"]}
    member = {"username": "ben", "password": "ben's password"}
    address = links["classification/digits"]

    with window() as opened, pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        opened.page.goto(address)
    with window(login=member) as opened:  # not yet one
        assert opened.page.goto(address).status == 401
        assert "You are not authenticated" in opened.page.content()
    with window(login=admin) as opened:
        opened.page.goto(f"{server.uri}/#/admin")
        opened.page.get_by_role("button", name="Create User").click()
        opened.page.get_by_placeholder("Enter username").fill(member["username"])
        opened.page.get_by_placeholder("Enter password").fill(member["password"])
        opened.page.get_by_role("dialog").get_by_role("button", name="Create user").click()
        opened.page.get_by_role("link", name=member["username"], exact=True).wait_for()
    with window(login=member) as opened:
        opened.page.goto(address)
        curves = {curve.metric: curve for curve in opened.curves("^train/")}
        assert curves["train/loss"].values == pytest.approx([1 / epoch for epoch in range(1, EPOCHS + 1)])
        assert opened.hosts == {"127.0.0.1"}
        assert opened.errors == []
