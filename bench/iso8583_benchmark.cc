// ISO 8583: what it costs to pack and unpack the message of a payment.

#include <string>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/host_file.h"
#include "adapters/iso8583/mac.h"
#include "benchmark/benchmark.h"
#include "switch/core/check.h"

namespace waystation::adapters::iso8583 {
namespace {

HostFile Electricity() {
  absl::StatusOr<HostFile> file = HostFile::Load(WS_SOURCE_DIR "/adapters/iso8583/electricity.json");
  WS_CHECK(file.ok(), std::string(file.status().message()));
  return *std::move(file);
}

// As the adapter sends it.
Message Payment(const Dialect& dialect) {
  Message message;
  message.set_mti("0200");
  message.Set(3, "500000");
  message.Set(4, "000000010050");
  message.Set(7, "1118110640");
  message.Set(11, "123457");
  message.Set(12, "190640");
  message.Set(13, "1118");
  message.Set(41, "SWITCH01");
  message.Set(42, "450000000017   ");
  message.Set(49, "156");
  WS_CHECK(dialect.Write(dialect.our_reference, "1234567890123456", &message).ok(), "a reference that fits");
  message.Set(102, "1234567800");
  return message;
}

void PackAndUnpack(benchmark::State& state, bool with_mac) {
  const HostFile host = Electricity();
  const std::unique_ptr<Mac> mac = *Mac::Make("0123456789abcdef");
  const Message payment = Payment(host.dialect);
  std::string wire;
  for (auto _ : state) {
    wire.clear();
    Message message = payment;
    WS_CHECK(PackWithMac(host.specification, with_mac ? mac.get() : nullptr, &message, &wire).ok(), "it is packed");
    Message back;
    WS_CHECK(Unpack(host.specification, wire, &back).ok(), "and read back");
    if (with_mac) WS_CHECK(MacIsRight(host.specification, *mac, wire, back), "with the right MAC");
    benchmark::DoNotOptimize(back);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(wire.size());
}
BENCHMARK_CAPTURE(PackAndUnpack, plain, false);
BENCHMARK_CAPTURE(PackAndUnpack, with_mac, true);

}  // namespace
}  // namespace waystation::adapters::iso8583
