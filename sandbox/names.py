"""Word lists for the seeds: people, places, companies and matters as they are named in Australia and New Zealand."""

from __future__ import annotations

GIVEN = (
    "Aroha", "Wiremu", "Mere", "Tāne", "Hēmi", "Māia", "Ngaire", "Rāwiri", "Kahurangi", "Anahera", "Tevita", "Sione",
    "‘Okusitino", "Leilani",
    "Oliver", "Charlotte", "Jack", "Isla", "Noah", "Amelia", "William", "Grace", "Thomas", "Ruby", "Liam", "Matilda",
    "Lachlan", "Zoë",
    "Chloé", "André", "José", "François", "Björn", "Søren", "Łukasz", "Agnieszka", "Đorđe", "Jelena", "Nguyễn", "Thị",
    "Minh", "Xiǎo",
    "Wei", "Priya", "Arjun", "Harpreet", "Fatima", "Omar", "Siobhán", "Niamh", "Seán", "Margaret", "Kathryn", "Catherine",
    "Stephen", "Steven",
    "Jarrah", "Kirra", "Mia-Rose", "Jean-Luc", "Giorgia", "Giuseppe", "Eleni", "Yiannis", "Sunita", "Mohammed", "Hyun-woo",
    "Yuki", "Renée",
)  # fmt: skip

FAMILY = (
    "Tui", "Ngata", "Te Whata", "Parata", "Wātene", "Rangihau", "Kēnehi", "Tūhoe", "Fīnau", "Taufa", "O'Brien", "O’Connor",
    "D'Arcy", "D'Angelo",
    "McDonald", "MacDonald", "McKenzie", "St John", "Smith", "Smyth", "Brown", "Jones", "Nguyễn", "Trần", "Singh", "Patel",
    "Chen", "Wang",
    "Li", "Lee", "Kim", "Müller", "Schröder", "Wójcik", "Kovačević", "Novák", "García", "Núñez", "da Silva", "van der Berg",
    "de Groot", "Papadopoulos",
    "Rossi", "Di Pietro", "Al-Hashimi", "Abdullah", "Björkman", "Ødegård", "Wilson", "Taylor", "Campbell", "Stewart",
    "Murphy", "Kelly", "Ryan", "Walsh",
    "Hughes-Jones", "Carter-Brown", "Bligh", "Wentworth", "Fraser", "Hargraves", "Reid", "Park", "Ode", "Yunupingu",
    "Marika", "Bani", "Mabo", "Passi",
)  # fmt: skip

COMPANY_FIRST = (
    "Kestrel Lane", "Southern Cross", "Blue Gum", "Banksia", "Wattle & Daub", "Coastal", "Outback", "Harbour", "Kauri",
    "Pōhutukawa", "Kōwhai", "Rata",
    "Tūī Street", "Waitematā", "Ōtautahi", "Taupō", "Whangārei", "Tāmaki", "Murray River", "Yarra", "Hawkesbury",
    "Illawarra", "Nullarbor",
    "Kimberley", "Derwent", "Swan Valley", "Barossa", "Daintree", "Noosa", "Bondi", "Cronulla", "Parramatta", "Ballarat",
    "Geelong", "Wagga Wagga",
    "Acme", "A1", "24/7", "Fresh + Local", "Rock'n'Roll", "J&K", "R.M.", "3 Brothers", "Café Olé", "Pâtisserie", "Zenith",
    "Pinnacle", "Lighthouse",
)  # fmt: skip

COMPANY_SECOND = (
    "Holdings", "Investments", "Plumbing", "Electrical", "Constructions", "Developments", "Property Group", "Dairy",
    "Pastoral Co", "Vineyards",
    "Transport", "Logistics", "Engineering", "Joinery", "Builders", "Dental", "Medical Centre", "Physiotherapy", "Childcare",
    "Early Learning",
    "Consulting", "Technology", "Software", "Media", "Hospitality", "Motors", "Smash Repairs", "Timber", "Seafoods", "Nursery",
)  # fmt: skip

AU_COMPANY = ("Pty Ltd", "Pty Ltd", "Pty Ltd", "Pty. Limited", "Limited", "(Aust) Pty Ltd", "Pty Ltd (In Liquidation)")
NZ_COMPANY = ("Limited", "Limited", "Ltd", "(NZ) Limited", "Tāpui Limited")

AU_PLACES = (
    ("Sydney", "NSW", "2000"), ("Parramatta", "NSW", "2150"), ("Wagga Wagga", "NSW", "2650"), ("Newcastle", "NSW", "2300"),
    ("Woy Woy", "NSW", "2256"),
    ("Melbourne", "VIC", "3000"), ("Geelong", "VIC", "3220"), ("Ballarat", "VIC", "3350"), ("St Kilda", "VIC", "3182"),
    ("Yarrawonga", "VIC", "3730"),
    ("Brisbane City", "QLD", "4000"), ("Nundah", "QLD", "4012"), ("Cairns", "QLD", "4870"), ("Toowoomba", "QLD", "4350"),
    ("Mooloolaba", "QLD", "4557"),
    ("Perth", "WA", "6000"), ("Fremantle", "WA", "6160"), ("Adelaide", "SA", "5000"), ("Hobart", "TAS", "7000"),
    ("Darwin City", "NT", "0800"),
    ("Canberra", "ACT", "2600"), ("Woolloongabba", "QLD", "4102"),
)  # fmt: skip

NZ_PLACES = (
    ("Auckland", "Tāmaki Makaurau", "1010"), ("Wellington", "Te Whanganui-a-Tara", "6011"), ("Christchurch", "Ōtautahi", "8011"),
    ("Hamilton", "Kirikiriroa", "3204"), ("Ōpōtiki", "Bay of Plenty", "3122"), ("Whangārei", "Northland", "0110"),
    ("Taupō", "Waikato", "3330"),
    ("Dunedin", "Ōtepoti", "9016"), ("Paekākāriki", "Kāpiti", "5034"), ("Ōamaru", "Otago", "9400"),
)  # fmt: skip

STREETS = (
    "George", "Queen", "Collins", "Wattle", "Banksia", "Kauri", "Tūī", "Karangahape", "Lambton", "O'Connell", "St Georges",
    "King William",
    "Pitt", "Flinders", "Macquarie", "Rāta", "Mānuka", "Victoria", "Railway", "The Esplanade", "Old Princes", "Great North",
)  # fmt: skip

STREET_TYPES = ("Street", "St", "Road", "Rd", "Avenue", "Terrace", "Quay", "Court", "Ct", "Parade", "Highway", "Lane")

MATTERS = (
    "Purchase of {place}", "Sale of {place}", "Purchase {number} {street} {type}, {town}", "Sale {number} {street} {type}",
    "Lease review - {town}",
    "Estate of the late {person}", "Will and powers of attorney", "FY{yy} Annual Accounts", "FY{yy} BAS",
    "GST return {month} {year}",
    "Company formation", "Trust deed variation", "Refinance - {bank}", "Dispute with {person}", "{person} v {other}",
    "Business sale",
    "Subdivision of Lot {number} DP {plan}", "Shareholders' agreement", "Unit trust set-up", "SMSF audit {year}",
    "Transfer of land - {person}",
    "Family settlement", "Retail lease - Shop {number}", "Debt recovery: {person}", "ASIC annual review {year}",
    "Māori land succession",
)  # fmt: skip

BANKS = ("CBA", "Westpac", "ANZ", "NAB", "Kiwibank", "ASB", "BNZ", "Bendigo Bank")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")

# Names that have broken somebody's program, one for each of the first matters: (client, matter)
AWKWARD = (
    ("Tui & Sons Ltd", "FY26 Annual Accounts"),
    ("O'Brien & D'Arcy Pty Ltd", "Shareholders' agreement"),
    ("O’Connor Family Trust", "Trust deed variation"),
    ("Ngāti Whātua Ōrākei Holdings Limited", "Māori land succession"),
    ("Te Whānau-ā-Apanui Trust", "Rāhui advice - Ōpōtiki"),
    ("Zoë Müller-Núñez", "Will & powers of attorney"),
    ("Nguyễn Thị Hương", "Sale 12 Collins St"),
    ("Fresh + Local Pty Ltd ATF The Fresh + Local Unit Trust", "Retail lease + fit-out"),
    ("J&K & Co", "J & K v A & B"),
    ("<Brackets> & \"Quotes\" Pty Ltd", "Matter with <tags> & 'quotes'"),
    ("Tom &amp; Jerry Pty Ltd", "Already &lt;escaped&gt;"),
    ("24/7 Plumbing Pty Ltd (In Liquidation)", "Proof of debt 50%"),
    ("‘Okusitino Fīnau", "Refinance - Kiwibank"),
    ("Łukasz Wójcik", "Purchase off the plan"),
    ("Δημήτρης Παπαδόπουλος", "Transfer of land"),
    ("王伟", "Company formation"),
    ("João da Silva", "Visa - 482"),
    ("St John's Anglican Church Property Trust", "Lease of hall"),
    ("R.M. Smyth & Daughters", "Estate of the late R. M. Smyth"),
    ("Smith, Smith & Smith", "Smith v Smith"),
    (
        "The Very Long Company Name That Somebody Registered Because The Register Allows It "
        "(Australia and New Zealand) Holdings Pty Ltd",
        "Restructure",
    ),
    ("Kestrel Lane Holdings Pty Ltd", "Purchase of 8 Wattle Ct, Nundah QLD 4012"),
    ("ACME PTY LTD", "acme - SHOUTING"),
)  # fmt: skip
