// Any bytes from a host: refused, or messages that are written as they were read. The first byte says whose data file.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/exchange.h"
#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/host_file.h"
#include "switch/core/check.h"

namespace waystation::adapters::iso8583 {
namespace {

HostFile Load(const std::string& path) {
  absl::StatusOr<HostFile> file = HostFile::Load(WS_SOURCE_DIR "/" + path);
  WS_CHECK(file.ok(), std::string(file.status().message()));
  return *std::move(file);
}

void CheckMessage(const HostFile& host, std::string_view bytes) {
  Message message;
  if (!Unpack(host.specification, bytes, &message).ok()) return;
  std::string packed;
  WS_CHECK(Pack(host.specification, message, &packed).ok(), "what was read can be written");
  Message again;
  WS_CHECK(Unpack(host.specification, packed, &again).ok() && again == message, "and is read as the same");
  const Dialect& dialect = host.dialect;
  for (const Place* place : {&dialect.customer_number, &dialect.our_reference, &dialect.customer_name, &dialect.owed,
                             &dialect.voucher, &dialect.biller_reference, &dialect.original_code}) {
    WS_CHECK(dialect.Read(message, *place).size() <= bytes.size() * 2, "a part is within its element");
  }
  KeyOfAnswer(message);
  dialect.MeaningOf(Operation::kPayment, message.Get(39));
}

void Check(const HostFile& host, std::string_view stream) {
  CheckMessage(host, stream);
  std::string_view message;
  for (;;) {
    const absl::StatusOr<bool> taken = TakeFrame(host.specification.frame(), &stream, &message);
    if (!taken.ok() || !*taken) return;
    CheckMessage(host, message);
  }
}

}  // namespace
}  // namespace waystation::adapters::iso8583

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using waystation::adapters::iso8583::HostFile;
  static const HostFile electricity = waystation::adapters::iso8583::Load("adapters/iso8583/electricity.json");
  static const HostFile ascii = waystation::adapters::iso8583::Load("tests/adapters/iso8583_ascii_host.json");
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  waystation::adapters::iso8583::Check(text[0] == 'E' ? electricity : ascii, text.substr(1));
  return 0;
}
