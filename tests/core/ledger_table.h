#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waystation::core {

// Runs a table of what is done and what comes of it against a ledger with an index behind it. The answer is empty when
// all went as written; otherwise a line for each row that did not, with what was found.
//
//   | do                           | result | balance | reserved | forwarded | available | owed to mobile |
//   | purchase S1 600.00 R1        | ok     |  600.00 |     0.00 |      0.00 |    600.00 |           0.00 |
//   | pay S1 mobile 100.00 Q1      | HELD   |  600.00 |   100.00 |      0.00 |    500.00 |                |
//   | approve Q1                   | SUCCEEDED | ...
//
// To begin with, stations S1 and S2 are active with nothing on their accounts, the billers mobile, power and gas are
// enabled, and 2026-11-21 is open. S3 to S9 are not registered. After each row the books are checked too.
//
// What can be done:
//   register S3 [as NAME]            admit S3, activate S3, suspend S3, close S3
//   purchase S1 600.00 R1 [by CLERK] grant S1 200.00
//   disable mobile, enable mobile    close day [2026-11-25]    (the next day where none is named)
//   pay S1 mobile 100.00 Q1 [by OPERATOR] [number CUSTOMER] [found REASON]
//   cancel Q1 [by S2] [found REASON]
//   approve Q1, decline Q1, not-sent Q1, unknown Q1, never-received Q1, reverse Q1, reversed Q1, review Q1, adjust Q1,
//   cancel-confirmed Q1, cancel-refused Q1
//   inquire S1 mobile                whether the station may ask the biller
//   look Q1                          its state; changes nothing
//   forget                           what is at rest leaves memory, and is found in the index from then on
//   3 times: A, B                    A and B, three times over; the row tells of the last
// Q1 names the payment of whichever station first used that request id; S2:Q1 that of S2. `found` is what the payment
// flow found against the request before it asked the ledger.
//
// result: ok; the payment's state, with the reason where it is DECLINED; "again ..." where the request had been
// accepted before; "declined REASON" for a cancel; "refused CODE" for an error.
// The other columns are figures of the row's station, or `owed to BILLER`, or `why`: a part of the text that goes
// with a refusal or a decline. An empty cell is not looked at.
std::vector<std::string> RunLedgerTable(std::string_view text);

}  // namespace waystation::core
