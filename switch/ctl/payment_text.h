#pragma once

#include <string>
#include <string_view>

#include "switch/ctl/table.h"
#include "waystation/v1/payment.pb.h"

// Payments as people read them.
namespace waystation::ctl {

// The counter receipt. For a payment that was paid, also one that was cancelled since (the receipt then says so).
std::string Receipt(const v1::Payment& payment);

// Whether Receipt has something to print.
bool HasReceipt(const v1::Payment& payment);

// All fields of a payment and its history.
std::string Details(const v1::Payment& payment);

// "RESOLVER: QUERY"; empty for a final payment.
std::string NextStep(const v1::Payment& payment);

// One row a payment.
Table PaymentTable();
void AddRow(Table& table, const v1::Payment& payment);

// One line for a state change, with '\n'.
std::string EventLine(const v1::Payment& payment, uint64_t sequence);

// "REASON: text (biller code X)".
std::string DeclineText(const v1::Decline& decline);

// What the person does about a decline; a clause without a full stop.
std::string_view NextAfter(v1::DeclineReason reason);

}  // namespace waystation::ctl
