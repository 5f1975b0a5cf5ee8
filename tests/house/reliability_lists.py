"""Two lists for docs/reliability.md: the levels of testing, and others' mistakes. Each names its tests or says why not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """What it is, the tests (`path`, or `path::name`, below tests/), and a remark or the reason why there is none."""

    what: str
    tests: tuple[str, ...] = ()
    remark: str = ""


LEVELS: tuple[Shown, ...] = (
    Shown(
        "Pure rules under a property tester",
        ("ledger/test_planning.py", "ledger/test_charges.py", "delivery/test_outcomes.py", "ledger/test_matching.py"),
    ),
    Shown(
        "The real code with time, chance and the network as parameters, by seed; and a stateful model",
        ("model/test_delivery_model.py", "delivery/test_courier.py"),
    ),
    Shown(
        "The real HTTP client against raw sockets: cut at each byte, stall, trickle, reset, half close, wrong length",
        ("http/test_http_fates.py", "faults/test_bad_line.py"),
    ),
    Shown("SQLite on a disk whose n-th call fails, for every n", ("faults/test_disk_faults.py", "ledger/test_store.py")),
    Shown("The same disk loses its power: unsynced sectors kept, lost or torn", ("faults/test_disk_faults.py",)),
    Shown(
        "The real program killed with -9 while it does each of its jobs",
        (
            "journeys/test_killed_and_cut_off.py",
            "journeys/test_killed_elsewhere.py",
            "journeys/test_order_window_killed.py",
            "identity/test_killed_at_every_step.py",
        ),
        "hundreds of times: `python -m tests.faults.kill_loop`",
    ),
    Shown(
        "Faults of any POSIX call of the whole process, by a preloaded library",
        remark="Not run: the library is not everywhere. The ledger's calls are faulted one by one above (level 4).",
    ),
    Shown(
        "A file system that forgets what was not synced", remark="Not run: it has to be built for the machine. Level 5 stands in."
    ),
    Shown(
        "A proxy on loopback between program and practice system",
        ("faults/test_bad_line.py", "journeys/test_killed_and_cut_off.py"),
    ),
    Shown(
        "A day under faults before a release",
        remark="By hand: `python -m tests.faults.kill_loop --kills 5000`, on the machine that builds the release.",
    ),
)

MISTAKES: tuple[Shown, ...] = (
    Shown(
        "The loser of a race to refresh deletes the winner's token",
        (
            "identity/test_access_tokens.py::test_a_sibling_that_rotated_meanwhile_is_followed",
            "identity/test_access_tokens.py::test_a_revoked_grant_asks_for_a_person_once_and_deletes_nothing",
        ),
    ),
    Shown(
        "A lock that is not scoped like the credential",
        ("identity/test_access_tokens.py::test_eight_processes_never_see_invalid_grant",),
    ),
    Shown(
        "A lock file left by a crash needs a person",
        (
            "journeys/test_killed_and_cut_off.py::test_the_tray_killed_at_any_moment_posts_each_key_once",
            "delivery/test_courier_thread.py::test_a_turn_goes_with_the_process_that_held_it",
            "identity/test_killed_at_every_step.py::test_a_renewal_killed_at_any_step_keeps_the_sign_in",
        ),
    ),
    Shown(
        "A cache that is truncated in place and read half-written",
        (
            "journeys/test_killed_elsewhere.py::test_a_refresh_killed_at_any_moment_leaves_the_old_copy_or_the_new_one",
            "identity/test_access_tokens.py::test_eighty_threads_with_connections_of_their_own_leave_the_store_readable",
        ),
    ),
    Shown(
        "The keyring's «nothing found» taken for signed out",
        (
            "identity/test_keyring_access.py::test_another_store_that_answers_nothing_is_not_a_sign_out",
            "identity/test_keyring_fails_anywhere.py::test_a_fault_at_any_call_of_the_secret_store_ends_in_words_and_passes",
        ),
    ),
    Shown(
        "Plain text, silently, where the keyring fails",
        (
            "identity/test_keyring_access.py::test_without_a_usable_keyring_the_sign_in_lasts_for_this_session_only",
            "identity/test_keyring_access.py::test_stores_that_keep_nothing_or_keep_it_open_are_refused",
        ),
    ),
    Shown(
        "No signing out, because reading fails",
        (
            "identity/test_sign_out.py::test_signing_out_works_when_the_keyring_does_not",
            "identity/test_keyring_fails_anywhere.py::test_disconnecting_works_whichever_call_of_the_secret_store_fails",
        ),
    ),
    Shown(
        "A callback server hung by a favicon, a busy port or a closed tab",
        (
            "identity/test_callback_listener.py::test_fifty_wrong_knocks_neither_end_nor_hang_the_sign_in",
            "identity/test_callback_listener.py::test_idle_and_slow_connections_do_not_block_the_callback",
            "identity/test_sign_in_journey.py::test_a_sign_in_that_nobody_finishes_ends_after_five_minutes",
        ),
    ),
    Shown(
        "One fixed port, which Windows has reserved",
        (
            "identity/test_callback_listener.py::test_the_fifth_port_is_used_when_four_are_taken_and_none_is_a_plain_message",
            "identity/test_callback_listener.py::test_a_port_that_windows_reserved_is_passed_over",
        ),
    ),
    Shown(
        "An HTTP library that sends a POST again",
        (
            "http/test_http_fates.py::test_a_kept_connection_that_closes_on_arrival_sees_exactly_one_request",
            "http/test_http_fates.py::test_even_a_read_on_a_kept_connection_is_not_repeated",
        ),
    ),
    Shown("A database in a roaming or redirected folder", ("faults/test_local_profile.py",)),
    Shown(
        "Plain file calls on a live database",
        ("house/test_architecture.py::test_nobody_opens_or_copies_a_live_database_by_file_calls",),
    ),
    Shown(
        "Stored at the server, shown as failed",
        (
            "delivery/test_courier.py::test_an_answer_lost_on_a_line_that_landed_is_settled_by_reading",
            "journeys/test_killed_and_cut_off.py::test_a_post_that_lands_after_its_sender_was_killed_is_not_sent_again",
        ),
    ),
    Shown(
        "Old drafts sent after signing in anew",
        (
            "delivery/test_courier_in_trouble.py::test_another_tenants_sign_in_never_gets_the_old_queue",
            "identity/test_sign_in_journey.py::test_signing_in_as_another_organisation_parks_the_old_ones_connection",
        ),
    ),
    Shown(
        "An updater that trusts its host",
        (
            "updates/test_update_attacks.py::test_it_is_refused_and_nothing_is_kept",
            "updates/test_update_attacks_by_tuf.py::test_what_tuf_lists_is_refused_and_nothing_is_kept",
        ),
    ),
    Shown(
        "A one-file build that scanners take for malware",
        ("installer/test_bundle_is_a_folder.py::test_the_bundle_is_a_folder_without_a_packer",),
        "Scanners are asked before a release.",
    ),
    Shown(
        "A certificate that was excused once and stays green",
        ("browser/test_order_window_pages.py::test_a_bad_certificate_is_final",),
    ),
    Shown("Checks of the ID token that a library dropped", ("identity/test_id_token.py::test_a_forged_token_is_refused",)),
)
