#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/sequencer.h"

// Work for a sequencer without a flow or an API above it.
namespace waystation::bench {

// Registers a biller and `stations` stations with money, and returns once that is durable. The sequencer runs.
void OpenStations(storage::Sequencer& sequencer, size_t stations);

// Accepts and approves `payments` numbered payments of these stations, from number `first` on, `under_way` at a time,
// and returns once all are durable. Each answer becomes the next command at once, on the sequencer's own thread: blocks
// are full but for the first and the last ones.
void PumpPayments(storage::Sequencer& sequencer, size_t stations, uint64_t first, uint64_t payments, size_t under_way);

}  // namespace waystation::bench
