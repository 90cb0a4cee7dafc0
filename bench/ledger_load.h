#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "switch/core/business_date.h"
#include "switch/core/command.h"

// Commands for the micro benchmarks: what the ledger and its storage see of a load, without an API above them.
namespace waystation::bench {

// The business date on which the benchmarks' ledgers open.
core::BusinessDate OpeningDate();

// In this order they make a biller and `stations` active stations, each with one hundred million yuan.
std::vector<core::Command> OpeningCommands(size_t stations);

// Payment number `number` of a run: its own request id, one of the stations, 50 yuan to the biller of OpeningCommands.
core::AcceptPayment NumberedPayment(uint64_t number, size_t stations);

core::RecordOutcome Approval(core::PaymentId payment);

}  // namespace waystation::bench
