"""Reading records by their likeness says of every document what the parser says."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop.services.errors import BadAnswer
from desktop.services.practice.alike_records import AlikeRecords
from desktop.services.practice.practice_xml import JOB_LIST, Caps, Envelope, Many, Record, Shape, records

SHAPE = Shape(
    "Jobs", "Job", {"ID": None, "Name": None, "Client": {"UUID": None, "Name": None}, "Assigned": {"Staff": Many(("UUID", "Name"))}}
)
FIELDS = 5
JOB = (
    "<Job>\n <ID>J{n}</ID><Name>Smith &amp; Sons {n}</Name><Note />\n<Client><UUID>c{n}</UUID><Name>Tūī</Name></Client>"
    "<Assigned><Staff><UUID>u</UUID><Name>Kim {n}</Name></Staff><Staff><UUID>v</UUID></Staff></Assigned></Job>\n"
)

Answer = tuple[list[Record], dict[str, str], bool, bool] | str


def answer(document: Iterable[bytes], *, by_likeness: bool, caps: Caps = JOB_LIST) -> Answer:
    envelope = Envelope()
    try:
        found = [each[:FIELDS] for each in records(document, SHAPE, caps, envelope, by_likeness=by_likeness)]
    except BadAnswer:
        return "bad"
    return found, envelope.values, envelope.wrapped, envelope.container_seen


def both_say_the_same(document: bytes, size: int = 1 << 20, caps: Caps = JOB_LIST) -> Answer:
    pieces = [document[at : at + size] for at in range(0, len(document), size)]
    expected = answer(pieces, by_likeness=False, caps=caps)
    assert answer(pieces, by_likeness=True, caps=caps) == expected
    return expected


def listed(jobs: str) -> bytes:
    return f"<Response><Status>OK</Status><Jobs>{jobs}</Jobs></Response>".encode()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records that were read without the parser."""
    seen: list[str] = []
    read = AlikeRecords._read

    def watched(self: AlikeRecords, content: str) -> Record | None:
        found = read(self, content)
        if found is not None:
            seen.append(content)
        return found

    monkeypatch.setattr(AlikeRecords, "_read", watched)
    return seen


@pytest.mark.parametrize("size", [1, 7, 64, 5_000, 1 << 20])
@pytest.mark.parametrize("head", ["", '<?xml version="1.0" encoding="utf-8"?>\r\n', "\ufeff"])
def test_records_alike_are_read_without_the_parser(asked: list[str], head: str, size: int) -> None:
    document = head.encode() + listed("".join(JOB.format(n=n) for n in range(60)))
    found = both_say_the_same(document, size)
    assert not isinstance(found, str)
    assert found[0][7] == ["J7", "Smith & Sons 7", "c7", "Tūī", [["u", "Kim 7"], ["v", None]]]
    assert len(found[0]) == len(asked) == 60


ODD = (
    "<Job><ID>a > b</ID><Name/></Job>",
    "<Job><ID>1</ID ><Name a='>'>x</Name></Job>",
    "<Job><ID><![CDATA[<Job>]]></ID></Job>",
    "<!-- <Job><ID>9</ID></Job> -->",
    "<!-- <Job> --><Job><ID>9</ID></Job>",
    "<?pi <Job><ID>9</ID></Job> ?>",
    "<Job><ID>&#65;&#x42;</ID></Job>",
    "<Job><ID>&lt;Job&gt;&amp;lt;</ID></Job>",
    "<Job><ID>&nothing;</ID></Job>",
    "<Job><ID>& </ID></Job>",
    "<Job><ID>1</ID><ID>2</ID></Job>",
    "<Job><ID>1<b>x</b>2</ID></Job>",
    "<Job><Job><ID>1</ID></Job></Job>",
    "<Job><ID>1</ID></Job ><Job><ID>2</ID></Job>",
    "<Job></Job ></Jobs><Jobs><Job></Job>",
    "</Jobs><Other><Job><ID>1</ID></Job></Other><Jobs>",
    "<Other><Job><ID>1</ID></Job></Other>",
    "</Jobs><Jobs><Job><ID>1</ID></Job>",
    "<JOB><id>1</id></JOB><x:Job><x:ID>2</x:ID></x:Job>",
    "<Job>]]></Job>",
    "]]<Job><ID>1</ID></Job>>",
    "&am<Job><ID>1</ID></Job>p;",
    "<x <Job><ID>1</ID></Job>>",
    "<x a='<Job><ID>1</ID></Job>'/>",
    "<Job><ID>1</Name></Job>",
    "<Job><ID>>1</ID<</Job>",
    "<Job>>ID<1>/ID<</Job>",
    "<Job><ID>a\rb\r\nc</ID></Job>\r\n",
    "<Job><ID>\x01</ID></Job>",
    "<Job><ID>\x7f\x85\ufffd</ID></Job>",
    "<Job><ID>\uffff</ID></Job>",
    "<Job a='1'><ID>1</ID></Job>",
    "<Job/>",
    "<Job></Job>",
    "<Job>text</Job>",
    "<Job><Assigned><Staff/><Staff><UUID></UUID></Staff></Assigned><Assigned><Staff><Name>z</Name></Staff></Assigned></Job>",
    "<Job><ID>" + "x" * 70_000 + "</ID></Job>",
    "<Job><ID>1</ID>" + "<a>" * 70 + "</a>" * 70 + "</Job>",
    "<!DOCTYPE a>",
    "</Job>",
)


@pytest.mark.parametrize("size", [1, 13, 1 << 20])
@pytest.mark.parametrize("odd", ODD, ids=[str(at) for at in range(len(ODD))])
def test_what_is_not_plain_is_left_to_the_parser(odd: str, size: int) -> None:
    """H3: comments, CDATA, references, brackets in texts, nested and broken records give the parser's own answer."""
    plain = "".join(JOB.format(n=n) for n in range(3))
    for jobs in (odd, plain + odd, plain + odd + plain, odd + odd + plain):
        both_say_the_same(listed(jobs), size)
        both_say_the_same(f"<Jobs>{jobs}</Jobs>".encode(), size)
        both_say_the_same(listed(jobs), size, Caps(1_000_000, depth=5, text=20))


def test_bytes_that_are_no_text_and_other_encodings_are_left_to_the_parser() -> None:
    for document in (
        listed(JOB.format(n=1)).replace(b"Sons", b"S\xffns"),
        listed(JOB.format(n=1)).replace(b"Sons", b"\xed\xa0\x80"),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + listed("<Job><ID>é</ID></Job>"),
        b"<?xml version='1.0' encoding='windows-1252'?>" + listed("<Job><ID>é</ID></Job>"),
        listed(JOB.format(n=1)).decode().encode("utf-16"),
        b"",
        b"<Jobs/>",
    ):
        for size in (5, 1 << 20):
            both_say_the_same(document, size)


PARTS = st.sampled_from(
    [
        *("<", ">", "</", "/>", "<Job>", "</Job>", "<ID>", "</ID>", "<Name>", "</Name>", "<Jobs>", "</Jobs>", "<a b='", "'"),
        *("&amp;", "&", ";", "]]>", "<!--", "-->", "<![CDATA[", "<?", "?>", "x", " ", "\r", "\n", "é", "\x02"),
        *("<Client>", "</Client>", "<UUID>1</UUID>", "<Staff>", "</Staff>", "<Assigned>", "</Assigned>", "</Job >", "<Job />"),
    ]
)


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_any_mutation_of_a_list_is_read_as_the_parser_reads_it(data: st.DataObject) -> None:
    """H7: nothing but records or BadAnswer, and the same either way."""
    document = listed("".join(JOB.format(n=n) for n in range(4))).decode()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(document)))
        cut = data.draw(st.sampled_from([0, 0, 1, 5, 6]))
        document = document[:at] + data.draw(PARTS) + document[at + cut :]
    both_say_the_same(document.encode(), data.draw(st.sampled_from([3, 50, 1 << 20])))


@settings(max_examples=400, deadline=None)
@given(st.lists(PARTS, max_size=14), st.sampled_from([2, 40, 1 << 20]))
@example(["<Job>", "<ID>", "</ID>", "</Job>", "<Job>", "<ID>", "x", "</ID>", "</Job>"], 40)
def test_any_row_of_marks_within_a_list_is_read_as_the_parser_reads_it(parts: list[str], size: int) -> None:
    """H7."""
    both_say_the_same(listed(JOB.format(n=1) + "".join(parts) + JOB.format(n=2)), size)


def test_many_patterns_and_fruitless_tries_end_the_reading_by_likeness() -> None:
    """A list made to have no two records alike is read too."""
    many = "".join(f"<Job><ID>{n}</ID><x{n}/></Job>" for n in range(6_000))
    both_say_the_same(listed(many))
