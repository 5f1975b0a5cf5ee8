
PRAGMA page_size=4096;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS body;
CREATE TABLE body (
    key       TEXT PRIMARY KEY REFERENCES delivery (key),
    content   BLOB NOT NULL,
    file_name TEXT NOT NULL,
    sha256    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO body VALUES('IT-100-D-1',X'255044462D312E372068747470733A2F2F6170692E696E666F747261636B2E636F6D2E61752F76312F6F726465722F646F776E6C6F61642F313030','Title Search 12RP90001 100.pdf','b3b8d5c6a499335e62c02a1ba27e77ea19f85b4fe24a05c8d5bdc4c921db03a7');
INSERT INTO body VALUES('IT-100-D-2',X'255044462D312E372068747470733A2F2F6170692E696E666F747261636B2E636F6D2E61752F76312F6F726465722F646F776E6C6F61642F313030','Title Search 12RP90001 100.pdf','b3b8d5c6a499335e62c02a1ba27e77ea19f85b4fe24a05c8d5bdc4c921db03a7');
INSERT INTO body VALUES('IT-103-D-1',X'255044462D312E372078','Title Search 12RP90001 103.pdf','ec2792f52c4416be86b9c3d9f4ce1122e68027a8549c54be5040c913d671aa02');

DROP TABLE IF EXISTS book_line;
CREATE TABLE book_line (
    key       TEXT NOT NULL,
    system    TEXT NOT NULL,
    tenant    TEXT NOT NULL,
    matter_id TEXT NOT NULL,
    order_id  TEXT NOT NULL,
    part      TEXT NOT NULL,
    n         INTEGER NOT NULL,
    cost      TEXT,
    code      TEXT NOT NULL DEFAULT '',
    remote_id TEXT NOT NULL DEFAULT '',
    rows      INTEGER NOT NULL,
    seen_at   TEXT NOT NULL,
    PRIMARY KEY (key, system, tenant, matter_id)
) STRICT, WITHOUT ROWID;
INSERT INTO book_line VALUES('IT-100-D-1','xero-practice-manager','firm-1','id-J001','100','D',1,NULL,'','d3',1,'2026-03-04T01:00:00.000000Z');
INSERT INTO book_line VALUES('IT-100-D-2','xero-practice-manager','firm-1','id-J001','100','D',2,NULL,'','d5',1,'2026-03-04T01:10:00.000000Z');
INSERT INTO book_line VALUES('IT-100-R-1','xero-practice-manager','firm-1','id-J001','100','R',1,'10.00','GST','c1',1,'2026-03-04T01:00:00.000000Z');
INSERT INTO book_line VALUES('IT-100-R-2','xero-practice-manager','firm-1','id-J001','100','R',2,'2.00','GST','c4',1,'2026-03-04T01:10:00.000000Z');
INSERT INTO book_line VALUES('IT-100-S-1','xero-practice-manager','firm-1','id-J001','100','S',1,'20.00','FREE','c2',1,'2026-03-04T01:00:00.000000Z');
INSERT INTO book_line VALUES('IT-102-T-1','xero-practice-manager','firm-1','id-J001','102','T',1,'4.00','FREE','c6',1,'2026-03-04T01:10:00.000000Z');
INSERT INTO book_line VALUES('IT-103-D-1','xero-practice-manager','firm-1','id-J002','103','D',1,NULL,'','d8',1,'2026-03-04T01:10:00.000000Z');
INSERT INTO book_line VALUES('IT-103-T-1','xero-practice-manager','firm-1','id-J002','103','T',1,'5.00','FREE','c7',1,'2026-03-04T01:10:00.000000Z');
INSERT INTO book_line VALUES('IT-104-T-1','xero-practice-manager','firm-1','id-J003','104','T',1,'6.00','FREE','c9',1,'2026-03-04T01:20:00.000000Z');
INSERT INTO book_line VALUES('IT-104-T-2','xero-practice-manager','firm-1','id-J001','104','T',2,'6.00','FREE','c10',1,'2026-03-04T01:30:00.000000Z');
CREATE INDEX book_line_by_order ON book_line (order_id);

DROP TABLE IF EXISTS customer_order;
CREATE TABLE customer_order (
    seq           INTEGER PRIMARY KEY,
    order_id      TEXT NOT NULL UNIQUE,
    parent_id     TEXT NOT NULL DEFAULT '',
    first_seen_at TEXT NOT NULL,
    origin        TEXT NOT NULL,
    take_over_at  TEXT,
    taken         INTEGER NOT NULL DEFAULT 0,
    latest        TEXT NOT NULL,
    system        TEXT NOT NULL DEFAULT '',
    tenant        TEXT NOT NULL DEFAULT '',
    matter_id     TEXT NOT NULL DEFAULT '',
    matter_number TEXT NOT NULL DEFAULT '',
    pinned        INTEGER NOT NULL DEFAULT 0,
    reason        TEXT NOT NULL DEFAULT '',
    needs_plan    INTEGER NOT NULL DEFAULT 1,
    look_again_at TEXT
) STRICT;
INSERT INTO customer_order VALUES(1,'100','','2026-03-04T01:00:00.000000Z','started elsewhere','2026-03-04T01:10:00.000000Z',0,'{"order_id":"100","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"12.00","gst":"1.20","total":"13.20"},"supplier":{"net":"20.00","gst":"0.00","total":"20.00"},"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"https://api.infotrack.com.au/v1/order/download/100","file_hash":"b","sequence":2,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',0,'',0,NULL);
INSERT INTO customer_order VALUES(2,'101','','2026-03-04T01:10:00.000000Z','started elsewhere','2026-03-04T01:10:00.000000Z',0,'{"order_id":"101","parent_id":"","client_reference":"","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"3.00","gst":"0.30","total":"3.30"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','','','','',0,'The order was started elsewhere and carries no matter number. Choose a matter.',0,'2026-03-04T01:31:00.000000Z');
INSERT INTO customer_order VALUES(3,'102','100','2026-03-04T01:10:00.000000Z','started elsewhere','2026-03-04T01:10:00.000000Z',0,'{"order_id":"102","parent_id":"100","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"4.00","gst":"0.00","total":"4.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',0,'',0,NULL);
INSERT INTO customer_order VALUES(4,'103','','2026-03-04T01:10:00.000000Z','typed in',NULL,1,'{"order_id":"103","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"5.00","gst":"0.00","total":"5.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J002','J002',0,'',0,NULL);
INSERT INTO customer_order VALUES(5,'104','','2026-03-04T01:20:00.000000Z','started elsewhere',NULL,1,'{"order_id":"104","parent_id":"","client_reference":"J003","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"6.00","gst":"0.00","total":"6.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',1,'',0,NULL);
INSERT INTO customer_order VALUES(6,'105','','2026-03-04T01:30:00.000000Z','started elsewhere','2026-03-04T01:30:00.000000Z',0,'{"order_id":"105","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"7.00","gst":"0.00","total":"7.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',0,'',0,NULL);
INSERT INTO customer_order VALUES(7,'106','','2026-03-04T01:30:00.000000Z','started elsewhere','2026-03-04T01:30:00.000000Z',0,'{"order_id":"106","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"8.00","gst":"0.00","total":"8.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',0,'',0,NULL);
INSERT INTO customer_order VALUES(8,'107','','2026-03-04T01:30:00.000000Z','started elsewhere','2026-03-04T01:30:00.000000Z',0,'{"order_id":"107","parent_id":"","client_reference":"J002","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"9.00","gst":"0.00","total":"9.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J002','J002',0,'',0,NULL);
INSERT INTO customer_order VALUES(9,'108','','2026-03-04T01:30:00.000000Z','started elsewhere','2026-03-04T01:30:00.000000Z',0,'{"order_id":"108","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"1.00","gst":"0.00","total":"1.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',0,'',0,NULL);
INSERT INTO customer_order VALUES(10,'109','','2026-03-04T01:30:00.000000Z','started elsewhere','2026-03-04T01:30:00.000000Z',0,'{"order_id":"109","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"2.00","gst":"0.00","total":"2.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J001','J001',0,'',0,NULL);
INSERT INTO customer_order VALUES(11,'110','','2026-03-04T01:30:00.000000Z','started elsewhere','2026-03-04T01:30:00.000000Z',0,'{"order_id":"110","parent_id":"","client_reference":"J003","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"11.00","gst":"0.00","total":"11.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}','xero-practice-manager','firm-1','id-J003','J003',0,'',0,NULL);
CREATE INDEX order_by_look ON customer_order (look_again_at) WHERE look_again_at IS NOT NULL;
CREATE INDEX order_by_number ON customer_order (matter_number);
CREATE INDEX order_by_parent ON customer_order (parent_id) WHERE parent_id <> '';
CREATE INDEX order_by_plan ON customer_order (seq) WHERE needs_plan = 1;

DROP TABLE IF EXISTS delivery;
CREATE TABLE delivery (
    seq           INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL CHECK (kind IN ('cost', 'document')),
    order_id      TEXT NOT NULL REFERENCES customer_order (order_id),
    part          TEXT NOT NULL CHECK (part IN ('R', 'S', 'T', 'D')),
    n             INTEGER NOT NULL CHECK (n >= 1),
    system        TEXT NOT NULL DEFAULT '',
    tenant        TEXT NOT NULL DEFAULT '',
    matter_id     TEXT NOT NULL DEFAULT '',
    matter_number TEXT NOT NULL DEFAULT '',
    state         TEXT NOT NULL,
    -- what it adds: without GST, its GST, and what the books hold for it (unit cost)
    amount        TEXT,
    gst           TEXT,
    cost          TEXT,
    gst_included  INTEGER NOT NULL DEFAULT 0,
    taxed         INTEGER NOT NULL DEFAULT 0,
    code          TEXT NOT NULL DEFAULT '',
    description   TEXT NOT NULL DEFAULT '',
    -- the rest of the line or document as it is to be sent, fixed when the row is made
    price         TEXT,
    on_day        TEXT,
    billable      INTEGER NOT NULL DEFAULT 1,
    note          TEXT NOT NULL DEFAULT '',
    title         TEXT NOT NULL DEFAULT '',
    folder        TEXT NOT NULL DEFAULT '',
    file_name     TEXT NOT NULL DEFAULT '',
    file_mark     TEXT NOT NULL DEFAULT '',
    file_message  INTEGER,
    download_url  TEXT NOT NULL DEFAULT '',
    -- where it stands
    hold          TEXT NOT NULL DEFAULT '',
    approved      INTEGER NOT NULL DEFAULT 0,
    person        INTEGER NOT NULL DEFAULT 0,
    touched       INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    faults        INTEGER NOT NULL DEFAULT 0,
    fault_since   TEXT,
    reason        TEXT NOT NULL DEFAULT '',
    undo          TEXT NOT NULL DEFAULT '',
    remote_id     TEXT NOT NULL DEFAULT '',
    sent_at       TEXT,
    absent_at     TEXT,
    seen_at       TEXT,
    next_at       TEXT,
    deferred      INTEGER NOT NULL DEFAULT 0,
    by            TEXT NOT NULL DEFAULT '',
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    CHECK (key = 'IT-' || order_id || '-' || part || '-' || n),
    CHECK (state <> 'confirmed' OR seen_at IS NOT NULL),
    CHECK (state NOT IN ('queued', 'sending', 'unknown', 'accepted', 'confirmed') OR (matter_id <> '' AND system <> ''))
) STRICT;
INSERT INTO delivery VALUES(1,'IT-100-R-1','cost','100','R',1,'xero-practice-manager','firm-1','id-J001','J001','confirmed','10.00','1.00','10.00',0,1,'GST','Title Search - 12RP90001','10.00','2026-03-04',1,'InfoTrack IT-100-R-1','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c1','2026-03-04T01:00:00.000000Z',NULL,'2026-03-04T01:00:00.000000Z',NULL,0,'courier','2026-03-04T01:00:00.000000Z','2026-03-04T01:00:00.000000Z');
INSERT INTO delivery VALUES(2,'IT-100-S-1','cost','100','S',1,'xero-practice-manager','firm-1','id-J001','J001','confirmed','20.00','0.00','20.00',0,0,'FREE','Title Search - 12RP90001','20.00','2026-03-04',1,'InfoTrack IT-100-S-1','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c2','2026-03-04T01:00:00.000000Z',NULL,'2026-03-04T01:00:00.000000Z',NULL,0,'courier','2026-03-04T01:00:00.000000Z','2026-03-04T01:00:00.000000Z');
INSERT INTO delivery VALUES(3,'IT-100-D-1','document','100','D',1,'xero-practice-manager','firm-1','id-J001','J001','confirmed',NULL,NULL,NULL,0,0,'','Title Search - 12RP90001',NULL,NULL,1,'InfoTrack IT-100-D-1','Title Search - 12RP90001','InfoTrack','Title Search 12RP90001 100','hash:a',NULL,'https://api.infotrack.com.au/v1/order/download/100','',0,0,1,1,0,NULL,'','','d3','2026-03-04T01:00:00.000000Z',NULL,'2026-03-04T01:00:00.000000Z',NULL,0,'courier','2026-03-04T01:00:00.000000Z','2026-03-04T01:00:00.000000Z');
INSERT INTO delivery VALUES(4,'IT-100-R-2','cost','100','R',2,'xero-practice-manager','firm-1','id-J001','J001','confirmed','2.00','0.20','2.00',0,1,'GST','Title Search - 12RP90001','2.00','2026-03-04',1,'InfoTrack IT-100-R-2','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c4','2026-03-04T01:10:00.000000Z',NULL,'2026-03-04T01:10:00.000000Z',NULL,0,'courier','2026-03-04T01:10:00.000000Z','2026-03-04T01:10:00.000000Z');
INSERT INTO delivery VALUES(5,'IT-100-D-2','document','100','D',2,'xero-practice-manager','firm-1','id-J001','J001','confirmed',NULL,NULL,NULL,0,0,'','Title Search - 12RP90001',NULL,NULL,1,'InfoTrack IT-100-D-2','Title Search - 12RP90001','InfoTrack','Title Search 12RP90001 100','hash:b',NULL,'https://api.infotrack.com.au/v1/order/download/100','',0,0,1,1,0,NULL,'','','d5','2026-03-04T01:10:00.000000Z',NULL,'2026-03-04T01:10:00.000000Z',NULL,0,'courier','2026-03-04T01:10:00.000000Z','2026-03-04T01:10:00.000000Z');
INSERT INTO delivery VALUES(6,'IT-101-R-1','cost','101','R',1,'','','','','held','3.00','0.30','3.00',0,1,'GST','Title Search - 12RP90001','3.00','2026-03-04',1,'InfoTrack IT-101-R-1','','','','',NULL,'','matter',0,0,0,0,0,NULL,'The order was started elsewhere and carries no matter number. Choose a matter.','','',NULL,NULL,NULL,NULL,0,'plan','2026-03-04T01:10:00.000000Z','2026-03-04T01:10:00.000000Z');
INSERT INTO delivery VALUES(7,'IT-103-T-1','cost','103','T',1,'xero-practice-manager','firm-1','id-J002','J002','confirmed','5.00','0.00','5.00',0,0,'FREE','Title Search - 12RP90001','5.00','2026-03-04',1,'InfoTrack IT-103-T-1','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c7','2026-03-04T01:10:00.000000Z',NULL,'2026-03-04T01:10:00.000000Z',NULL,0,'courier','2026-03-04T01:10:00.000000Z','2026-03-04T01:10:00.000000Z');
INSERT INTO delivery VALUES(8,'IT-103-D-1','document','103','D',1,'xero-practice-manager','firm-1','id-J002','J002','confirmed',NULL,NULL,NULL,0,0,'','Title Search - 12RP90001',NULL,NULL,1,'InfoTrack IT-103-D-1','Title Search - 12RP90001','InfoTrack','Title Search 12RP90001 103','file:ec2792f52c4416be86b9c3d9f4ce1122e68027a8549c54be5040c913d671aa02',5,'','',0,0,1,1,0,NULL,'','','d8','2026-03-04T01:10:00.000000Z',NULL,'2026-03-04T01:10:00.000000Z',NULL,0,'courier','2026-03-04T01:10:00.000000Z','2026-03-04T01:10:00.000000Z');
INSERT INTO delivery VALUES(9,'IT-102-T-1','cost','102','T',1,'xero-practice-manager','firm-1','id-J001','J001','confirmed','4.00','0.00','4.00',0,0,'FREE','Title Search - 12RP90001','4.00','2026-03-04',1,'InfoTrack IT-102-T-1','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c6','2026-03-04T01:10:00.000000Z',NULL,'2026-03-04T01:10:00.000000Z',NULL,0,'courier','2026-03-04T01:10:00.000000Z','2026-03-04T01:10:00.000000Z');
INSERT INTO delivery VALUES(10,'IT-104-T-1','cost','104','T',1,'xero-practice-manager','firm-1','id-J003','J003','confirmed','6.00','0.00','6.00',0,0,'FREE','Title Search - 12RP90001','6.00','2026-03-04',1,'InfoTrack IT-104-T-1','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c9','2026-03-04T01:20:00.000000Z',NULL,'2026-03-04T01:20:00.000000Z',NULL,0,'courier','2026-03-04T01:20:00.000000Z','2026-03-04T01:20:00.000000Z');
INSERT INTO delivery VALUES(11,'IT-104-T-2','cost','104','T',2,'xero-practice-manager','firm-1','id-J001','J001','confirmed','6.00','0.00','6.00',0,0,'FREE','Title Search - 12RP90001','6.00','2026-03-04',1,'InfoTrack IT-104-T-2','','','','',NULL,'','',0,0,1,1,0,NULL,'','Undo by hand: IT-104-T-1 on J003 (6.00).','c10','2026-03-04T01:30:00.000000Z',NULL,'2026-03-04T01:30:00.000000Z',NULL,0,'courier','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
INSERT INTO delivery VALUES(12,'IT-105-T-1','cost','105','T',1,'xero-practice-manager','firm-1','id-J001','J001','rejected','7.00','0.00','7.00',0,0,'FREE','Title Search - 12RP90001','7.00','2026-03-04',1,'InfoTrack IT-105-T-1','','','','',NULL,'','',0,0,1,1,0,NULL,'The job is closed.','','','2026-03-04T01:30:00.000000Z',NULL,NULL,NULL,0,'courier','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
INSERT INTO delivery VALUES(13,'IT-106-T-1','cost','106','T',1,'xero-practice-manager','firm-1','id-J001','J001','unknown','8.00','0.00','8.00',0,0,'FREE','Title Search - 12RP90001','8.00','2026-03-04',1,'InfoTrack IT-106-T-1','','','','',NULL,'','',0,0,1,1,1,'2026-03-04T01:30:00.000000Z','The line broke.','','','2026-03-04T01:30:00.000000Z',NULL,NULL,'2026-03-04T01:33:00.000000Z',0,'courier','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
INSERT INTO delivery VALUES(14,'IT-107-T-1','cost','107','T',1,'xero-practice-manager','firm-1','id-J002','J002','accepted','9.00','0.00','9.00',0,0,'FREE','Title Search - 12RP90001','9.00','2026-03-04',1,'InfoTrack IT-107-T-1','','','','',NULL,'','',0,0,1,1,0,NULL,'','','c11','2026-03-04T01:30:00.000000Z',NULL,NULL,'2026-03-04T01:30:02.000000Z',0,'courier','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
INSERT INTO delivery VALUES(15,'IT-108-T-1','cost','108','T',1,'xero-practice-manager','firm-1','id-J001','J001','cancelled','1.00','0.00','1.00',0,0,'FREE','Title Search - 12RP90001','1.00','2026-03-04',1,'InfoTrack IT-108-T-1','','','','',NULL,'','',0,0,0,0,0,NULL,'Cancelled.','','',NULL,NULL,NULL,NULL,0,'person','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
INSERT INTO delivery VALUES(16,'IT-109-T-1','cost','109','T',1,'xero-practice-manager','firm-1','id-J001','J001','queued','2.00','0.00','2.00',0,0,'FREE','Title Search - 12RP90001','2.00','2026-03-04',1,'InfoTrack IT-109-T-1','','','','',NULL,'','',0,0,0,0,0,NULL,'','','',NULL,NULL,NULL,'2026-03-04T01:30:00.000000Z',0,'plan','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
INSERT INTO delivery VALUES(17,'IT-110-T-1','cost','110','T',1,'xero-practice-manager','firm-1','id-J003','J003','sending','11.00','0.00','11.00',0,0,'FREE','Title Search - 12RP90001','11.00','2026-03-04',1,'InfoTrack IT-110-T-1','','','','',NULL,'','',0,0,0,1,0,NULL,'','','','2026-03-04T01:30:00.000000Z',NULL,NULL,NULL,0,'courier','2026-03-04T01:30:00.000000Z','2026-03-04T01:30:00.000000Z');
CREATE INDEX delivery_by_number ON delivery (matter_number);
CREATE INDEX delivery_by_order ON delivery (order_id);
CREATE INDEX delivery_by_state ON delivery (state, seq);
CREATE INDEX delivery_in_flight ON delivery (system, tenant, matter_id, next_at)
    WHERE state IN ('queued', 'sending', 'unknown', 'accepted');
CREATE TRIGGER delivery_is_for_good BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'deliveries are kept'); END;
CREATE TRIGGER delivery_keeps_its_matter BEFORE UPDATE OF system, tenant, matter_id ON delivery
WHEN OLD.touched = 1 AND (OLD.system <> NEW.system OR OLD.tenant <> NEW.tenant OR OLD.matter_id <> NEW.matter_id)
BEGIN SELECT RAISE(ABORT, 'a delivery that may have been sent keeps its matter'); END;
CREATE TRIGGER delivery_key_is_for_good BEFORE UPDATE OF key, order_id, part, n, kind ON delivery
WHEN OLD.key <> NEW.key OR OLD.order_id <> NEW.order_id OR OLD.part <> NEW.part OR OLD.n <> NEW.n OR OLD.kind <> NEW.kind
BEGIN SELECT RAISE(ABORT, 'a delivery keeps its key'); END;
CREATE TRIGGER delivery_made AFTER INSERT ON delivery
BEGIN
    INSERT INTO trail (at, order_id, key, what, from_state, to_state, reason, by, hash)
    VALUES (NEW.created_at, NEW.order_id, NEW.key, 'planned', '', NEW.state, NEW.reason, NEW.by,
        trail_link((SELECT hash FROM trail ORDER BY seq DESC LIMIT 1),
            NEW.created_at, NEW.order_id, NEW.key, 'planned', '', NEW.state, NEW.reason, NEW.by));
END;
CREATE TRIGGER delivery_moved AFTER UPDATE OF state ON delivery
WHEN OLD.state <> NEW.state
BEGIN
    INSERT INTO trail (at, order_id, key, what, from_state, to_state, reason, by, hash)
    VALUES (NEW.updated_at, NEW.order_id, NEW.key, 'moved', OLD.state, NEW.state, NEW.reason, NEW.by,
        trail_link((SELECT hash FROM trail ORDER BY seq DESC LIMIT 1),
            NEW.updated_at, NEW.order_id, NEW.key, 'moved', OLD.state, NEW.state, NEW.reason, NEW.by));
END;
CREATE TRIGGER delivery_moves_legally BEFORE UPDATE OF state ON delivery
WHEN OLD.state <> NEW.state
 AND NOT EXISTS (SELECT 1 FROM legal_move WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'illegal move of a delivery'); END;
CREATE TRIGGER delivery_seen_is_never_sent_again BEFORE UPDATE OF state ON delivery
WHEN NEW.state = 'sending' AND OLD.seen_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a key that was seen in the books is never sent again'); END;
CREATE INDEX delivery_waiting ON delivery (order_id) WHERE state IN ('held', 'rejected') OR person = 1;

DROP TABLE IF EXISTS feed;
CREATE TABLE feed (
    address  TEXT PRIMARY KEY,
    position TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO feed VALUES('feed','1');

DROP TABLE IF EXISTS legal_move;
CREATE TABLE legal_move (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) STRICT, WITHOUT ROWID;
INSERT INTO legal_move VALUES('accepted','confirmed');
INSERT INTO legal_move VALUES('accepted','unknown');
INSERT INTO legal_move VALUES('cancelled','confirmed');
INSERT INTO legal_move VALUES('cancelled','queued');
INSERT INTO legal_move VALUES('cancelled','unknown');
INSERT INTO legal_move VALUES('held','cancelled');
INSERT INTO legal_move VALUES('held','confirmed');
INSERT INTO legal_move VALUES('held','queued');
INSERT INTO legal_move VALUES('queued','cancelled');
INSERT INTO legal_move VALUES('queued','confirmed');
INSERT INTO legal_move VALUES('queued','held');
INSERT INTO legal_move VALUES('queued','rejected');
INSERT INTO legal_move VALUES('queued','sending');
INSERT INTO legal_move VALUES('rejected','cancelled');
INSERT INTO legal_move VALUES('rejected','confirmed');
INSERT INTO legal_move VALUES('rejected','queued');
INSERT INTO legal_move VALUES('rejected','unknown');
INSERT INTO legal_move VALUES('sending','accepted');
INSERT INTO legal_move VALUES('sending','held');
INSERT INTO legal_move VALUES('sending','queued');
INSERT INTO legal_move VALUES('sending','rejected');
INSERT INTO legal_move VALUES('sending','unknown');
INSERT INTO legal_move VALUES('unknown','cancelled');
INSERT INTO legal_move VALUES('unknown','confirmed');
INSERT INTO legal_move VALUES('unknown','queued');

DROP TABLE IF EXISTS memory;
CREATE TABLE memory (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO memory VALUES('asked 101','2026-03-04T01:00:00.000000Z J999');
INSERT INTO memory VALUES('ledger checked','2026-03-04T01:00:00.000000Z');
INSERT INTO memory VALUES('looked again xero-practice-manager firm-1 id-J001','2026-03-04T01:20:00.000000Z');
INSERT INTO memory VALUES('looked again xero-practice-manager firm-1 id-J002','2026-03-04T01:20:00.000000Z');
INSERT INTO memory VALUES('looked again xero-practice-manager firm-1 id-J003','2026-03-04T01:30:00.000000Z');

DROP TABLE IF EXISTS message;
CREATE TABLE message (
    seq           INTEGER PRIMARY KEY,
    order_id      TEXT NOT NULL REFERENCES customer_order (order_id),
    sequence      INTEGER,
    source        TEXT NOT NULL,
    digest        TEXT NOT NULL,
    body          TEXT NOT NULL,
    raw           BLOB NOT NULL,
    matter_number TEXT NOT NULL DEFAULT '',
    file_name     TEXT NOT NULL DEFAULT '',
    file          BLOB,
    received_at   TEXT NOT NULL,
    UNIQUE (order_id, digest)
) STRICT;
INSERT INTO message VALUES(1,'100',1,'feed','1078cb12ff347f34389389db76a053ed24baf863df7fd9720e731c80f6343b4a','{"order_id":"100","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"10.00","gst":"1.00","total":"11.00"},"supplier":{"net":"20.00","gst":"0.00","total":"20.00"},"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"https://api.infotrack.com.au/v1/order/download/100","file_hash":"a","sequence":1,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:00:00.000000Z');
INSERT INTO message VALUES(2,'100',2,'file','cd00c7f16ce480462d2e7afd5d16d326ff92f9e21a72cd5d9603ec04fe4dad8e','{"order_id":"100","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"12.00","gst":"1.20","total":"13.20"},"supplier":{"net":"20.00","gst":"0.00","total":"20.00"},"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"https://api.infotrack.com.au/v1/order/download/100","file_hash":"b","sequence":2,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:10:00.000000Z');
INSERT INTO message VALUES(3,'101',NULL,'file','50afba216042016003055e786ca65acb438754248aa92c9816fbc944b4306c06','{"order_id":"101","parent_id":"","client_reference":"","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"3.00","gst":"0.30","total":"3.30"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:10:00.000000Z');
INSERT INTO message VALUES(4,'102',NULL,'file','4942898f80ca596747e07faab7c4534baed3b25bcb37b6c961bea2dc7763930c','{"order_id":"102","parent_id":"100","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"4.00","gst":"0.00","total":"4.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:10:00.000000Z');
INSERT INTO message VALUES(5,'103',NULL,'typed','afe1086ecf2c8baa2c85042202c82843dad7909ef403da14fb9e434ba50b1bc1','{"order_id":"103","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"5.00","gst":"0.00","total":"5.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'7479706564','J002','a.pdf',X'255044462D312E372078','2026-03-04T01:10:00.000000Z');
INSERT INTO message VALUES(6,'104',NULL,'file','0834f54c8a67fc6d3935414d7b992cc2b0bfed64f9092b1722e4a9b4097edfe3','{"order_id":"104","parent_id":"","client_reference":"J003","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"6.00","gst":"0.00","total":"6.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:20:00.000000Z');
INSERT INTO message VALUES(7,'105',NULL,'file','43495d5c84eeaa5d0d6fae79274b5a3cf0e7ea624f2efa369e4b50d5992df03f','{"order_id":"105","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"7.00","gst":"0.00","total":"7.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:30:00.000000Z');
INSERT INTO message VALUES(8,'106',NULL,'file','bb1cfc5a23c7354e5b79ab925e8ca20ea32b9410bd74e56880666926b19be62f','{"order_id":"106","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"8.00","gst":"0.00","total":"8.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:30:00.000000Z');
INSERT INTO message VALUES(9,'107',NULL,'file','ccd68bf003f8473e829b6634d0dc9abb2fb104d7d56d43960835cda1f7460765','{"order_id":"107","parent_id":"","client_reference":"J002","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"9.00","gst":"0.00","total":"9.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:30:00.000000Z');
INSERT INTO message VALUES(10,'108',NULL,'file','fb76681f185717fd1b4edb3f98cd4e1d1fd4057245054408e51a5dbb406adf0f','{"order_id":"108","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"1.00","gst":"0.00","total":"1.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:30:00.000000Z');
INSERT INTO message VALUES(11,'109',NULL,'file','188533c96be76ece0c89920440655072444834ec8c043c8da0ce4580daec8a67','{"order_id":"109","parent_id":"","client_reference":"J001","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"2.00","gst":"0.00","total":"2.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:30:00.000000Z');
INSERT INTO message VALUES(12,'110',NULL,'file','28c4cd1ded505f4dff53bb8f694905b928da3ee788fd32dc6c5c2cf58b2aa738','{"order_id":"110","parent_id":"","client_reference":"J003","retailer_reference":"","reference":"12RP90001","service":"Title Search","description":"QLD: Title Search - 12RP90001","billing_type":"","ordered_by":"Sample Firm","email":"","ordered_at":"2026-03-03T20:00:00Z","completed_at":null,"status":"Complete","status_message":"","retailer":{"net":"11.00","gst":"0.00","total":"11.00"},"supplier":null,"total":null,"is_billable":null,"available_online":null,"online_url":"","download_url":"","file_hash":"","sequence":null,"client_account":"","problems":[]}',X'726177','','',NULL,'2026-03-04T01:30:00.000000Z');
CREATE TRIGGER message_is_for_good BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'messages are kept'); END;

DROP TABLE IF EXISTS meta;
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('installation','ieqh52');
INSERT INTO meta VALUES('trail_head','78 d5364fd3561d8a7c52d5f4c6088a9f558ebd5f49ba63e43017e31ceb00626398');

DROP TABLE IF EXISTS sighting;
CREATE TABLE sighting (
    order_id TEXT NOT NULL,
    digest   TEXT NOT NULL,
    seen_at  TEXT NOT NULL,
    take_at  TEXT NOT NULL,
    PRIMARY KEY (order_id, digest)
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS trail;
CREATE TABLE trail (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    key        TEXT NOT NULL,
    what       TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    reason     TEXT NOT NULL,
    by         TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
INSERT INTO trail VALUES(1,'2026-03-04T01:00:00.000000Z','100','','message','','','Complete','feed','7e40ce3dc2f7249f0de3cfa6e96cd00190f83dd3447039e5c2d39ff6477d208f');
INSERT INTO trail VALUES(2,'2026-03-04T01:00:00.000000Z','100','','matched','','','J001','plan','402344796a2f58be25eb06fab10716c27048c6373a60e11369654365480b3320');
INSERT INTO trail VALUES(3,'2026-03-04T01:00:00.000000Z','100','IT-100-R-1','planned','','queued','','plan','04db5f44f3ef200c57f5c163713952fb943e8cd4914251970141ef0203328529');
INSERT INTO trail VALUES(4,'2026-03-04T01:00:00.000000Z','100','IT-100-S-1','planned','','queued','','plan','fc8d9effed4e94728d189fed1d3565534fd5a587c7f4cc91675a32d2db247e42');
INSERT INTO trail VALUES(5,'2026-03-04T01:00:00.000000Z','100','IT-100-D-1','planned','','queued','','plan','c71deda1e830e0b541e0b89087ceba8cee88b8efbf6f99a80f9f9eb98d12d6b6');
INSERT INTO trail VALUES(6,'2026-03-04T01:00:00.000000Z','100','IT-100-R-1','moved','queued','sending','','courier','4da76647b14daac7b06fdf7df3640468b749d94643056827683d9c3c624af9e8');
INSERT INTO trail VALUES(7,'2026-03-04T01:00:00.000000Z','100','IT-100-R-1','moved','sending','accepted','','courier','34b4f3d3a827ad388f7292e354d3f85d4691e1dae20c63a87dee081ef4185849');
INSERT INTO trail VALUES(8,'2026-03-04T01:00:00.000000Z','100','IT-100-S-1','moved','queued','sending','','courier','eb4d32488c5aaa16bcafdf1e708663fd32c78c9208cb125e2231e5de80afc586');
INSERT INTO trail VALUES(9,'2026-03-04T01:00:00.000000Z','100','IT-100-S-1','moved','sending','accepted','','courier','7aa835ec8a0907a8030c8cb5351457b68509cd8953fe5cb740621d2057953b29');
INSERT INTO trail VALUES(10,'2026-03-04T01:00:00.000000Z','100','IT-100-D-1','moved','queued','sending','','courier','48eea96dfaafce7530c7eae43bad0bbee3642179dbd9c82e7138f481087d219b');
INSERT INTO trail VALUES(11,'2026-03-04T01:00:00.000000Z','100','IT-100-D-1','moved','sending','accepted','','courier','1fd393c7d7d250372ccc2d2bd6caac86ddfbeb908500604893198f23f22a896b');
INSERT INTO trail VALUES(12,'2026-03-04T01:00:00.000000Z','100','IT-100-R-1','moved','accepted','confirmed','','courier','dd057bfbda8d548b7ac6a7122b1226848f627f7b74befc5473718d3e36928887');
INSERT INTO trail VALUES(13,'2026-03-04T01:00:00.000000Z','100','IT-100-S-1','moved','accepted','confirmed','','courier','345c6c0b852f1552ad3c72221f69d95c049ac358b561a51991a49a754895b6b1');
INSERT INTO trail VALUES(14,'2026-03-04T01:00:00.000000Z','100','IT-100-D-1','moved','accepted','confirmed','','courier','01f8cc5ed5021d2dd03f2fa04e83e52bb018b725f2f09dc22294b7cab24fd2a9');
INSERT INTO trail VALUES(15,'2026-03-04T01:10:00.000000Z','100','','message','','','Complete','file','ff4f2c018238987bec6de536bb761e7225c7cff4f95ac83a7464cd592e34da85');
INSERT INTO trail VALUES(16,'2026-03-04T01:10:00.000000Z','101','','message','','','Complete','file','15fa5fac21317efcc7260b1bf1ec9d4008694a2966ca42ca5ca9d3cf577d762b');
INSERT INTO trail VALUES(17,'2026-03-04T01:10:00.000000Z','102','','message','','','Complete','file','8141422eccba33ba200e734ae0ae6b4b9c41d35918182deab9848466a68d9cc9');
INSERT INTO trail VALUES(18,'2026-03-04T01:10:00.000000Z','103','','message','','','Complete','typed','87ddf7067e19d6ea1f33cb2869e3f11e564055899a19cd2c7c3f46ba10de3717');
INSERT INTO trail VALUES(19,'2026-03-04T01:10:00.000000Z','100','IT-100-R-2','planned','','queued','','plan','5a77c1c2b2b5b9ada4600dd23334d817f424ed9f851369c346ffcab97f66ec2b');
INSERT INTO trail VALUES(20,'2026-03-04T01:10:00.000000Z','100','IT-100-D-2','planned','','queued','','plan','84e91b735ae41974a214b3c763209f9c5a87a43d17508c9bba39c0f312ef85f7');
INSERT INTO trail VALUES(21,'2026-03-04T01:10:00.000000Z','101','IT-101-R-1','planned','','held','The order was started elsewhere and carries no matter number. Choose a matter.','plan','9f78c1b3d80b244285f921f9ead78708e2e5803b054f588a7041b60d5c09d1e5');
INSERT INTO trail VALUES(22,'2026-03-04T01:10:00.000000Z','103','','matched','','','J002','plan','8909b08ab42d946e20586483089fbe65ddf63accdef440ec98f375490a91c91b');
INSERT INTO trail VALUES(23,'2026-03-04T01:10:00.000000Z','103','IT-103-T-1','planned','','queued','','plan','a3f1ba1bd4f6f5cf7379a813ab2e1662daf592edb8439750bc4b712d4193cf3b');
INSERT INTO trail VALUES(24,'2026-03-04T01:10:00.000000Z','103','IT-103-D-1','planned','','queued','','plan','4714eb30b55e96beb2c807955c92287702f3da665b1e57772bed744b670d86c3');
INSERT INTO trail VALUES(25,'2026-03-04T01:10:00.000000Z','102','','matched','','','J001','plan','734d534b13faface9ed537b3fe5323eb731d180fd1f350472d28a9867988528a');
INSERT INTO trail VALUES(26,'2026-03-04T01:10:00.000000Z','102','IT-102-T-1','planned','','queued','','plan','1ecceba9a3dd98c1190d65f0ab07d576f64d98f8891a73aab6bfab1085498dec');
INSERT INTO trail VALUES(27,'2026-03-04T01:10:00.000000Z','100','IT-100-R-2','moved','queued','sending','','courier','773b27bcf0fbadee67b3384a746e814a4763ec61de9834357a0d8d7957fc56ee');
INSERT INTO trail VALUES(28,'2026-03-04T01:10:00.000000Z','100','IT-100-R-2','moved','sending','accepted','','courier','59e2a0b6cd792a590b99f9ab338c643c36a2acfdf7aa72480c24ba8ec20eb7a8');
INSERT INTO trail VALUES(29,'2026-03-04T01:10:00.000000Z','100','IT-100-D-2','moved','queued','sending','','courier','96578b0a49bc6e0422b6106fa1ce6a62168c1c23e2976639c11f41da6446c8fe');
INSERT INTO trail VALUES(30,'2026-03-04T01:10:00.000000Z','100','IT-100-D-2','moved','sending','accepted','','courier','c7d7e70d7c2ac84a645b35d9ddba00c9f2c8177065b591b4e05f766e1e1feea4');
INSERT INTO trail VALUES(31,'2026-03-04T01:10:00.000000Z','100','IT-100-R-2','moved','accepted','confirmed','','courier','0809e8c6584fad31d851ee05ac5b066b6f285fdf7d99f62d14d3b4016a152d00');
INSERT INTO trail VALUES(32,'2026-03-04T01:10:00.000000Z','102','IT-102-T-1','moved','queued','sending','','courier','4492cbb1d6d17cb7266a59a6bf7956a5a2294d7ceb0d076a68caab566c282d40');
INSERT INTO trail VALUES(33,'2026-03-04T01:10:00.000000Z','102','IT-102-T-1','moved','sending','accepted','','courier','ee7bb1497b80597e8820b27adf9b3f715789b9fe767061369cba01286ee9f9ec');
INSERT INTO trail VALUES(34,'2026-03-04T01:10:00.000000Z','102','IT-102-T-1','moved','accepted','confirmed','','courier','32e4b33df91c8b989ac5dea7df552c6453620adedafc90eba51b53765d0491bb');
INSERT INTO trail VALUES(35,'2026-03-04T01:10:00.000000Z','100','IT-100-D-2','moved','accepted','confirmed','','courier','ce86d6074f0583b02138a3f4e4df59552296c651c8ea8a0640b062269392d66b');
INSERT INTO trail VALUES(36,'2026-03-04T01:10:00.000000Z','103','IT-103-T-1','moved','queued','sending','','courier','5ecfcec1fa7bc2d90ebc6749e6a7faf21e8deeddcbc29b0c64608779260f16df');
INSERT INTO trail VALUES(37,'2026-03-04T01:10:00.000000Z','103','IT-103-T-1','moved','sending','accepted','','courier','0f1d41640d1a55322e63c8c4e3f439e000312b74ba810355f2b7e27424e0b7fe');
INSERT INTO trail VALUES(38,'2026-03-04T01:10:00.000000Z','103','IT-103-D-1','moved','queued','sending','','courier','0b08688c4b56f2667df084bd3e2bde43f04f40190007523e47bf2876206b9dee');
INSERT INTO trail VALUES(39,'2026-03-04T01:10:00.000000Z','103','IT-103-D-1','moved','sending','accepted','','courier','88b111913c09b5582de0385810895b4c27cc47578b2941fda0b1f9330828220a');
INSERT INTO trail VALUES(40,'2026-03-04T01:10:00.000000Z','103','IT-103-T-1','moved','accepted','confirmed','','courier','765b1991348c7dc4b12a9902b352289742ca10edc9c60499923c59f6900d2774');
INSERT INTO trail VALUES(41,'2026-03-04T01:10:00.000000Z','103','IT-103-D-1','moved','accepted','confirmed','','courier','4c021f3bc7c94889fe4839f20bb22522cb44a939a5e742d3173eeec4773f7648');
INSERT INTO trail VALUES(42,'2026-03-04T01:20:00.000000Z','104','','message','','','Complete','file','866f7881eaf0d9452d62ee6879595f7b6ad7ae341a6160050530d0968ce3ac46');
INSERT INTO trail VALUES(43,'2026-03-04T01:20:00.000000Z','104','','matched','','','J003','plan','c558e3fa6fe7f0ee40e670a410e6faf943a6ed05bdd2fcf625b0cd63e43bbef2');
INSERT INTO trail VALUES(44,'2026-03-04T01:20:00.000000Z','104','IT-104-T-1','planned','','queued','','plan','0823f1bdfda7d2b67f270d018e860bb9cca3dd8fbc91927c7e860c1bee4eeb45');
INSERT INTO trail VALUES(45,'2026-03-04T01:20:00.000000Z','104','IT-104-T-1','moved','queued','sending','','courier','8124b13603b7dc96ef0d1b35dfb9e9ca627dc26bc9b7970f31af5287bc46a697');
INSERT INTO trail VALUES(46,'2026-03-04T01:20:00.000000Z','104','IT-104-T-1','moved','sending','accepted','','courier','04f80a376f899b5e2b7f1db286479a53040ad1b5e948a6ffa6c8d6a3c89bd309');
INSERT INTO trail VALUES(47,'2026-03-04T01:20:00.000000Z','104','IT-104-T-1','moved','accepted','confirmed','','courier','52cc514f397037748cb00140c0beacad5b9158d7f92609814c9e33c89356800f');
INSERT INTO trail VALUES(48,'2026-03-04T01:30:00.000000Z','104','','moved to another matter','','','from J003 to J001','person','610eb1945430e016e1de9d4a385c90178743d58d7d3c7b1068c6d564f5266d3b');
INSERT INTO trail VALUES(49,'2026-03-04T01:30:00.000000Z','105','','message','','','Complete','file','0693082a378cbff2be006a5dd9e09f2b641994c1e78ed56132e5747a21b32154');
INSERT INTO trail VALUES(50,'2026-03-04T01:30:00.000000Z','106','','message','','','Complete','file','4ac855b2c1c24f09a9c1295bf55f05258c470fe58536f4600369b8623b08ccf5');
INSERT INTO trail VALUES(51,'2026-03-04T01:30:00.000000Z','104','IT-104-T-2','planned','','queued','','plan','7ec0df0a7d142244d9e119b6ecb2c4f2bd466c1cff7a40da714bea1dfdd79b09');
INSERT INTO trail VALUES(52,'2026-03-04T01:30:00.000000Z','105','','matched','','','J001','plan','cda9173d53d7b370dcc01649e704e27c84619593c9f98d7f118268224672ba0a');
INSERT INTO trail VALUES(53,'2026-03-04T01:30:00.000000Z','105','IT-105-T-1','planned','','queued','','plan','56b93b9967c4b07081c30bc06f8e1fa7bb3161d75cf41e1d739cd2e9df6abbd5');
INSERT INTO trail VALUES(54,'2026-03-04T01:30:00.000000Z','106','','matched','','','J001','plan','affddacb3d9f4184eef1fa90361a646907e722d87a3447d3944ef99920e9d193');
INSERT INTO trail VALUES(55,'2026-03-04T01:30:00.000000Z','106','IT-106-T-1','planned','','queued','','plan','203302181207d9d09cad1ac4a6f8fcb2c595dc21c07735cc4cd4e2b361a8cf57');
INSERT INTO trail VALUES(56,'2026-03-04T01:30:00.000000Z','104','IT-104-T-2','moved','queued','sending','','courier','d8acc763ee066e3bac51dd838655bcd47f87c18e0dac69e1f26b223e3f11b31e');
INSERT INTO trail VALUES(57,'2026-03-04T01:30:00.000000Z','104','IT-104-T-2','moved','sending','accepted','','courier','759a16cb5431833db6c65fa15145b4a1673dc6e2a0128cb1dd7464d1dcea75ee');
INSERT INTO trail VALUES(58,'2026-03-04T01:30:00.000000Z','104','IT-104-T-2','moved','accepted','confirmed','','courier','6a649906c1633a65577f40938d0a2b4d15138827559316c240bebc792aac4519');
INSERT INTO trail VALUES(59,'2026-03-04T01:30:00.000000Z','105','IT-105-T-1','moved','queued','sending','','courier','7bf178e4bc62a023855beba7f5f21cdb403a268dfc540dce4b023eafa433f9ef');
INSERT INTO trail VALUES(60,'2026-03-04T01:30:00.000000Z','105','IT-105-T-1','moved','sending','rejected','The job is closed.','courier','905e12e2f220d7bc0ce25ea3858e873154e4a26aff09b9aabb6ee8e153bb6cb0');
INSERT INTO trail VALUES(61,'2026-03-04T01:30:00.000000Z','106','IT-106-T-1','moved','queued','sending','','courier','6f7a29239d314423a4d0e1c1305371fa426835d4e229c2cda676338b5c96565a');
INSERT INTO trail VALUES(62,'2026-03-04T01:30:00.000000Z','106','IT-106-T-1','moved','sending','unknown','The line broke.','courier','724d3322ef2c2bec0db847532217c67c5d7bd1543bb4f18b1743507c6eeb0037');
INSERT INTO trail VALUES(63,'2026-03-04T01:30:00.000000Z','107','','message','','','Complete','file','05d1b8ce47a054505c560b5ca97c3511c87899f4e061d777077dc4cb3cabaf26');
INSERT INTO trail VALUES(64,'2026-03-04T01:30:00.000000Z','107','','matched','','','J002','plan','600d8ddfd3fb184d88171fb0f3f3bb4ef2fcd21080c4384cf76334ba6b84eba5');
INSERT INTO trail VALUES(65,'2026-03-04T01:30:00.000000Z','107','IT-107-T-1','planned','','queued','','plan','459a66aaac977bd8e6fd8ea40990bf41273c5dbfe1057570d750dd57f168e467');
INSERT INTO trail VALUES(66,'2026-03-04T01:30:00.000000Z','107','IT-107-T-1','moved','queued','sending','','courier','66ac30d8792e6ac6871a7aaea77d5a17b43dde2af7cddbaf1788224611f367fb');
INSERT INTO trail VALUES(67,'2026-03-04T01:30:00.000000Z','107','IT-107-T-1','moved','sending','accepted','','courier','c86ebe872b51ebdab3124f7d16d3e6e812e879dd0bd3c8f55c01511ff040120d');
INSERT INTO trail VALUES(68,'2026-03-04T01:30:00.000000Z','108','','message','','','Complete','file','9e184a325ad98fd3de8d64a69809c873fd52e62b21c63ce77bc3d94566f91ee1');
INSERT INTO trail VALUES(69,'2026-03-04T01:30:00.000000Z','109','','message','','','Complete','file','4dc9c7f9e64ed1d1897f3b6ae4bb711e955c90361671473adede86bb06c906f8');
INSERT INTO trail VALUES(70,'2026-03-04T01:30:00.000000Z','108','','matched','','','J001','plan','2e66df3b023b577435174f7fc177abda62a95a8b4c6f3b6194885eb1e9fb955c');
INSERT INTO trail VALUES(71,'2026-03-04T01:30:00.000000Z','108','IT-108-T-1','planned','','queued','','plan','38f26ad2d0ffc2999297151c3655f1b91ba09d8d8dfe21c5c29498a8ab9c5408');
INSERT INTO trail VALUES(72,'2026-03-04T01:30:00.000000Z','109','','matched','','','J001','plan','2ad709424b80f936a24b47941bbaa7f2597f2e476e0ed558081ed44cb9f94b33');
INSERT INTO trail VALUES(73,'2026-03-04T01:30:00.000000Z','109','IT-109-T-1','planned','','queued','','plan','47a8a2623119d891d7a7b0260b5c15f3eee28a6cd0041cbaaa12ba4060ccb720');
INSERT INTO trail VALUES(74,'2026-03-04T01:30:00.000000Z','108','IT-108-T-1','moved','queued','cancelled','Cancelled.','person','5f684cc0d0c2317955b3d42eb3fa2eaf8badc235359e3bde791608f58d55ecb3');
INSERT INTO trail VALUES(75,'2026-03-04T01:30:00.000000Z','110','','message','','','Complete','file','678f5d1966efed377672dacfed118e68e7608cdc2a14a901a762beff7a9b8ba5');
INSERT INTO trail VALUES(76,'2026-03-04T01:30:00.000000Z','110','','matched','','','J003','plan','606f6aca5ce6a43c459962716967573cb2ac42181a5754cfdac57e4663492441');
INSERT INTO trail VALUES(77,'2026-03-04T01:30:00.000000Z','110','IT-110-T-1','planned','','queued','','plan','0515ce3bba4ab64fe69d58a641db0cfe19d0576f2dae26ace556fe8db18a26bb');
INSERT INTO trail VALUES(78,'2026-03-04T01:30:00.000000Z','110','IT-110-T-1','moved','queued','sending','','courier','d5364fd3561d8a7c52d5f4c6088a9f558ebd5f49ba63e43017e31ceb00626398');
CREATE INDEX trail_by_order ON trail (order_id, seq);
CREATE TRIGGER trail_head AFTER INSERT ON trail
BEGIN
    INSERT INTO meta (name, value) VALUES ('trail_head', NEW.seq || ' ' || NEW.hash)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;
END;
CREATE TRIGGER trail_is_for_good_delete BEFORE DELETE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER trail_is_for_good_update BEFORE UPDATE ON trail
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;

DELETE FROM main.sqlite_sequence WHERE name='trail';
INSERT INTO main.sqlite_sequence VALUES ('trail', 78);

pragma user_version=1;

COMMIT TRANSACTION;
