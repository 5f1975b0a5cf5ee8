"""The tray program's skeleton: the icon first, then the desk on a worker thread, then windows when they are asked for.

Window modules are imported when first opened, so that the icon stands as soon as Qt can draw it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from desktop.services.desk import ConnectionState, OrderFilter, Status
from desktop.services.ledger.model import DeliveryState, OrderView
from desktop.ui import state
from desktop.ui.bridge import Bridge, DeskFactory
from desktop.ui.first_icon import prepare
from desktop.ui.focus_in_sight import keep_focus_in_sight
from desktop.ui.icons import app_icon
from desktop.ui.instance import LINK, Instance, Request
from desktop.ui.language import tr
from desktop.ui.own_settings import Notifications, SettingsDoor
from desktop.ui.state import Click
from desktop.ui.tray import HOST_CHECK_MS, Tray

if TYPE_CHECKING:
    from desktop.ui.connections import ConnectionsWindow
    from desktop.ui.deliveries import DeliveriesWindow
    from desktop.ui.home import HomeWindow
    from desktop.ui.matter_picker import MatterPicker
    from desktop.ui.settings_window import SettingsWindow
    from desktop.ui.shortcut import Listener
    from desktop.ui.signing_in import SigningIn
    from desktop.ui.update_state import UpdateView
    from desktop.ui.update_watch import UpdateOptions, UpdateWatch
    from desktop.ui.update_window import UpdateWindow
    from desktop.ui.welcome import WelcomeWindow
    from desktop.ui.window import Window


NAMED = 3
"""So many matters a notice names, where the person wants names at all."""


class TrayApp(QObject):
    """Owns the icon, the bridge and the windows. One for a process; lives on the GUI thread.

    `desk_factory` runs on a worker thread after the icon shows; it gets a function that any thread may call when something
    changed, and raises ActionFailed with a sentence when the profile can't be opened. The caller closes the desk after
    `run` has returned. `first_run` opens the welcome window. `notices_wanted` is the person's wish as it is now, asked before
    each tray notice; so are `matters_in_notices` and `shortcut_wanted`. They must answer from memory. `icon` is one that was
    shown before all this was imported. `updates` says how new versions are looked for; without it they are not."""

    def __init__(
        self,
        app: QApplication,
        desk_factory: DeskFactory,
        settings: SettingsDoor,
        *,
        instance: Instance | None = None,
        first_run: bool = False,
        show: Request | None = None,
        notices_wanted: Callable[[], Notifications] = lambda: "errors",
        matters_in_notices: Callable[[], bool] = lambda: False,
        shortcut_wanted: Callable[[], str] = lambda: "",
        open_url: Callable[[str], bool] | None = None,
        host_check_ms: int = HOST_CHECK_MS,
        host_grace_ms: int = 1_500,
        icon: QSystemTrayIcon | None = None,
        updates: UpdateOptions | None = None,
    ) -> None:
        super().__init__()
        prepare(app)
        keep_focus_in_sight(app)
        app.setWindowIcon(app_icon())
        self._app = app
        self._settings_door = settings
        self._first_run = first_run
        self._show_first = show
        self._notices_wanted = notices_wanted
        self._matters_in_notices = matters_in_notices
        self._shortcut_wanted = shortcut_wanted
        self._listener: Listener | None = None
        self._listens_for = ""
        self._open_url = open_url
        self._host_grace_ms = host_grace_ms
        self._instance = instance
        self._before: Status | None = None
        self._quitting = False
        self.bridge = Bridge(desk_factory, self)
        self.bridge.status_changed.connect(self._status_changed)
        self.bridge.open_failed.connect(self._open_failed)
        self.bridge.opened.connect(self._listen)
        self.bridge.failed.connect(self._say)
        self.tray = Tray(self, check_ms=host_check_ms, icon=icon)
        self.tray.clicked.connect(self._clicked)
        self.tray.chosen.connect(self.choose)
        self.tray.notice_clicked.connect(self._notice_clicked)
        self.tray.host_changed.connect(self._host_changed)
        if instance is not None:
            instance.requested.connect(self.show_request)
        self._watch: UpdateWatch | None = None
        self._noticed_version = ""
        self._told_of_update = False
        if updates is not None:
            self._watch_for_updates(updates)
        self._signing_in: SigningIn | None = None
        self._home: HomeWindow | None = None
        self._picker: MatterPicker | None = None
        self._deliveries: DeliveriesWindow | None = None
        self._connections: ConnectionsWindow | None = None
        self._settings: SettingsWindow | None = None
        self._welcome: WelcomeWindow | None = None
        self._updates: UpdateWindow | None = None

    def start(self) -> None:
        """Shows the icon, then opens the desk. Returns at once."""
        self.tray.start()
        # One turn of the event loop, so that the icon is painted before a worker thread wants the interpreter.
        QTimer.singleShot(0, self, self._open)

    def run(self) -> int:
        """Starts, and stays until the person quits. Gives the exit status."""
        self.start()
        status = self._app.exec()
        self.close()
        return status

    def close(self) -> None:
        """Lets go of the bridge, the icon, the windows and the instance's socket and lock."""
        if self._watch is not None:
            self._watch.stop()
        self.bridge.close()
        self.tray.stop()
        if self._listener is not None:
            self._listener.close()
        for window in self._windows():
            window.close()
            window.deleteLater()
        self._home = self._picker = self._deliveries = self._connections = self._settings = self._welcome = self._updates = None
        if self._instance is not None:
            self._instance.close()

    # what can be asked

    @Slot(object)
    def show_request(self, request: Request) -> None:
        """Opens what a second start asked for."""
        if request.show == LINK:
            self.follow(request.text)
        elif request.show == "picker":
            self.open_picker(request.text or None)
        else:
            self.choose(request.show)

    def follow(self, link: str) -> None:
        """Shows where a link leads, or what is wrong with it. Nothing is done but shown."""
        from desktop.deep_link import BadLink, OrderLink, parse

        try:
            target = parse(link)
        except BadLink as wrong:
            self.open_picker()
            self.picker().message.say(str(wrong))
            return
        if isinstance(target, OrderLink):
            self.open_deliveries(target.order_id)
        else:
            self.picker().open_matter(target.system, target.number)

    @Slot(str)
    def choose(self, name: str) -> None:
        """Does what a menu entry says."""
        actions: dict[str, Callable[[], None]] = {
            "connect": self.connect_default,
            "disconnect": self.disconnect_default,
            "picker": self.open_picker,
            "deliveries": self.open_deliveries,
            "connections": lambda: self.connections().bring_forward(),
            "settings": lambda: self.settings().bring_forward(),
            "welcome": lambda: self.welcome().bring_forward(),
            "updates": self.open_updates,
            "quit": self.quit,
        }
        actions[name]()

    def open_picker(self, text: str | None = None) -> None:
        self.picker().open_with(text)

    def open_deliveries(self, order_id: str = "", *, waiting: bool = False) -> None:
        self.deliveries().open_with(order_id, waiting=waiting)

    def connect_default(self) -> None:
        """Signs in to the practice system that the settings name, or to the one whose sign-in broke."""
        window = self.connections()
        window.bring_forward()
        status = self.bridge.status
        if status is None:
            return
        broken = [view for view in status.connections if view.state is ConnectionState.ATTENTION]
        view = broken[0] if broken else state.default_connection(status)
        if view is not None and view.state is not ConnectionState.CONNECTING:
            window.show_status(status)
            window.connect_system(view.system)

    def disconnect_default(self) -> None:
        """Signs out of the one connected system; with several, the person chooses in the window."""
        window = self.connections()
        window.bring_forward()
        live = state.connected(self.bridge.status)
        if len(live) == 1:
            window.disconnect_system(live[0].system)

    def quit(self) -> None:
        self._quitting = True
        self.tray.stop()
        self._app.quit()

    # windows, made when first asked for

    def picker(self) -> MatterPicker:
        if self._picker is None:
            from desktop.ui.matter_picker import MatterPicker

            self._picker = MatterPicker(self.bridge)
            self._picker.open_order.connect(self.open_deliveries)
            self._picker.connect_wanted.connect(self.connect_default)
            self._picker.found_closed.connect(self.tray.notify)
        return self._picker

    def deliveries(self) -> DeliveriesWindow:
        if self._deliveries is None:
            from desktop.ui.deliveries import DeliveriesWindow

            self._deliveries = DeliveriesWindow(self.bridge)
            self._deliveries.open_matter.connect(self.open_picker)
        return self._deliveries

    def connections(self) -> ConnectionsWindow:
        if self._connections is None:
            from desktop.ui.connections import ConnectionsWindow

            self._connections = ConnectionsWindow(self.bridge, self._sign_in())
        return self._connections

    def settings(self) -> SettingsWindow:
        if self._settings is None:
            from desktop.ui.settings_window import SettingsWindow

            self._settings = SettingsWindow(self.bridge, self._settings_door)
            self._settings.kept.connect(self._listen)
            self._settings.kept.connect(self._codes_chosen)
        return self._settings

    def welcome(self) -> WelcomeWindow:
        if self._welcome is None:
            from desktop.ui.welcome import WelcomeWindow

            self._welcome = WelcomeWindow(self.bridge, door=self._settings_door)
            self._welcome.connect_wanted.connect(self.connect_default)
            self._welcome.settings_wanted.connect(lambda: self.choose("settings"))
            self._welcome.picker_wanted.connect(self.open_picker)
        return self._welcome

    def open_updates(self) -> None:
        if self._watch is None:
            return
        if self._updates is None:
            from importlib.metadata import version

            from desktop.ui.update_window import UpdateWindow

            self._updates = UpdateWindow(self.bridge, self._watch, current=version("iconnect-desktop"))
        self._updates.bring_forward()

    def home(self) -> HomeWindow:
        if self._home is None:
            from desktop.ui.home import HomeWindow

            self._home = HomeWindow(self.bridge)
            self._home.chosen.connect(self.choose)
        return self._home

    def _windows(self) -> list[Window]:
        made = (self._home, self._picker, self._deliveries, self._connections, self._settings, self._welcome, self._updates)
        return [window for window in made if window is not None]

    def _sign_in(self) -> SigningIn:
        if self._signing_in is None:
            from desktop.ui.signing_in import SigningIn, open_in_browser

            self._signing_in = SigningIn(self.bridge, open_url=self._open_url or open_in_browser, parent=self)
        return self._signing_in

    # what happens

    def _open(self) -> None:
        self.bridge.open()
        if self._first_run:
            self.welcome().bring_forward()
        if self._show_first is not None:
            self.show_request(self._show_first)

    def _clicked(self) -> None:
        match state.click(self.bridge.status):
            case Click.PICKER:
                self.open_picker()
            case Click.CONNECT:
                self.connect_default()
            case Click.CONNECTIONS:
                self.connections().bring_forward()

    def _host_changed(self, host: bool) -> None:
        if host:
            if self._home is not None:
                self._home.close()
        else:
            # At sign-in the panel often comes a moment after us: a window that flashes up would only startle.
            QTimer.singleShot(self._host_grace_ms, self, self._show_home)

    def _show_home(self) -> None:
        if not self.tray.has_host and not self._quitting:
            self.home().bring_forward()

    def _status_changed(self, status: Status) -> None:
        before, self._before = self._before, status
        self.tray.show_status(status)
        text = notice(before, status, self._notices_wanted())
        if not text:
            return
        self._told_of_update = False
        waited = before.waiting_for_person if before is not None else 0
        if status.waiting_for_person > waited and self._matters_in_notices():
            wanted = OrderFilter(waiting_for_person=True, limit=NAMED + 1)
            self.bridge.run(
                self,
                lambda desk: desk.orders(wanted),
                lambda orders: self.tray.notify(f"{text} {named_matters(orders)}".strip()),
                lambda _: self.tray.notify(text),
            )
        else:
            self.tray.notify(text)

    def _notice_clicked(self) -> None:
        """Leads to what the notice told of: a new version, the row that waits, or where several do, the list of them."""
        if self._told_of_update:
            self.open_updates()
            return
        status = self.bridge.status
        if status is None or not status.waiting_for_person:
            self.connections().bring_forward()
            return
        wanted = OrderFilter(waiting_for_person=True, limit=2)
        self.bridge.run(self, lambda desk: desk.orders(wanted), self._open_waiting, lambda _: self._open_waiting(()))

    def _open_waiting(self, orders: Sequence[OrderView]) -> None:
        if len(orders) == 1:
            self.open_deliveries(orders[0].order_id)
        else:
            self.open_deliveries(waiting=True)

    @Slot()
    def _codes_chosen(self) -> None:
        if self._welcome is not None:
            self._welcome.check_codes()

    # new versions

    def _watch_for_updates(self, options: UpdateOptions) -> None:
        from desktop.ui.update_state import menu_text
        from desktop.ui.update_watch import UpdateWatch

        self._watch = watch = UpdateWatch(self.bridge, options, self)
        watch.changed.connect(self._updates_changed)
        watch.leave.connect(self.quit)
        self.bridge.opened.connect(watch.start)
        self.tray.show_updates(menu_text(watch.view))

    def _updates_changed(self, view: UpdateView) -> None:
        """One notice for a version, and none for a person who wants none; the menu says it as long as it is so."""
        from desktop.ui.update_state import menu_text, notice

        self.tray.show_updates(menu_text(view))
        text = notice(view)
        if text and view.version != self._noticed_version and self._notices_wanted() != "none":
            self._noticed_version = view.version
            self._told_of_update = True
            self.tray.notify(text)

    # the shortcut

    @Slot()
    def _listen(self) -> None:
        """Asks for the keys that the person chose last. Where they can't be had, the notice says why."""
        wanted = self._shortcut_wanted()
        if wanted == self._listens_for:
            return
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._listens_for = wanted
        if not wanted:
            return
        from desktop.ui.shortcut import BadShortcut, NotPossible, read_shortcut
        from desktop.ui.shortcut_listener import listen

        try:
            self._listener = listen(read_shortcut(wanted), self.open_picker)
        except (BadShortcut, NotPossible) as problem:
            self._say(str(problem))

    def _open_failed(self, problem: str) -> None:
        self.tray.show_problem(tr("Your profile could not be opened"))
        home = self.home()
        home.say(problem)
        home.bring_forward()

    def _say(self, problem: str) -> None:
        self.tray.notify(problem)


def named_matters(orders: Sequence[OrderView]) -> str:
    """The numbers of the matters that wait, for a person who wants them in notices."""
    numbers = list(dict.fromkeys(order.matter_number for order in orders if order.matter_number))
    if not numbers:
        return ""
    named = ", ".join(numbers[:NAMED])
    if len(numbers) > NAMED:
        return tr("Matters: {numbers} and others.", numbers=named)
    return tr("Matter: {numbers}.", numbers=named) if len(numbers) == 1 else tr("Matters: {numbers}.", numbers=named)


def notice(before: Status | None, now: Status, wanted: Notifications = "errors") -> str:
    """The one notice that a change of status is worth, or nothing. Numbers, never a matter's name. Pure.

    «errors»: only what needs a person; at the start (no status before) what already waited is summed up once. «all»: also
    what was posted since the status before."""
    if wanted == "none":
        return ""
    broken_before = {v.system for v in before.connections if v.state is ConnectionState.ATTENTION} if before is not None else set()
    parts = [
        tr("{title} needs you to sign in again.", title=view.title)
        for view in now.connections
        if view.state is ConnectionState.ATTENTION and view.system not in broken_before
    ]
    if now.infotrack.state is ConnectionState.ATTENTION and (
        before is None or before.infotrack.state is not ConnectionState.ATTENTION
    ):
        parts.append(tr("InfoTrack needs you to sign in again."))
    waited = before.waiting_for_person if before is not None else 0
    if now.waiting_for_person > waited:
        many = now.waiting_for_person
        parts.append(tr("1 posting waits for you.") if many == 1 else tr("{count} postings wait for you.", count=many))
    if wanted == "all" and before is not None:
        done = now.deliveries.get(DeliveryState.CONFIRMED, 0) - before.deliveries.get(DeliveryState.CONFIRMED, 0)
        if done > 0:
            parts.append(tr("1 posting is done.") if done == 1 else tr("{count} postings are done.", count=done))
    return " ".join(parts)
