// Any bytes from a host: refused, or messages that are written as they were read, whose MAC is held against the key's,
// that settle only what they say, and only the request that they answer. The first byte says whose data file.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "adapters/alarm.h"
#include "adapters/iso8583/answers.h"
#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/exchange.h"
#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/host_file.h"
#include "switch/core/check.h"

namespace waystation::adapters::iso8583 {
namespace {

struct Host {
  std::shared_ptr<const LinkParts> plain;
  std::shared_ptr<const LinkParts> with_mac;
};

std::shared_ptr<const LinkParts> Load(const std::string& path, bool with_mac) {
  absl::StatusOr<HostFile> file = HostFile::Load(WS_SOURCE_DIR "/" + path);
  WS_CHECK(file.ok(), std::string(file.status().message()));
  auto parts = std::make_shared<LinkParts>();
  parts->file = *std::move(file);
  parts->terminal = "SWITCH01";
  if (with_mac) parts->mac = *Mac::Make("0123456789abcdef");
  return parts;
}

Host LoadBoth(const std::string& path) {
  SendAlarmsTo([](std::string_view, std::string_view) {});
  return {Load(path, false), Load(path, true)};
}

// Whatever stands in it, an approval is about this very payment.
void CheckMeaning(const LinkParts& parts, const Message& answer) {
  PaymentRequest request;
  request.payment_id = core::PaymentId::FromNumber(1'234'567'890'123'456);
  request.amount = core::Money::Fen(10'050);
  const Dialect& dialect = parts.file.dialect;
  const bool ours =
      dialect.Read(answer, dialect.our_reference) == request.payment_id.ToString() && answer.Get(4) == "000000010050";
  WS_CHECK(ours || !std::holds_alternative<Approved>(ReadPay(parts, answer, request)), "another payment's approval");
  WS_CHECK(ours || !std::holds_alternative<Approved>(ReadQuery(parts, answer, request)), "another payment's approval");
  ReadInquiry(parts, answer);
  ReadReverse(parts, answer);
  ReadCancel(parts, answer);
}

// A request waits for exactly this message, and one for another.
void CheckExchange(const std::shared_ptr<const LinkParts>& parts, const Message& message, std::string_view bytes) {
  Exchange exchange(parts);
  MatchKey key = KeyOfAnswer(message);
  const auto waiter = std::make_shared<Waiter>();
  const auto other = std::make_shared<Waiter>();
  bool late = false;
  exchange.Expect(key, nullptr, waiter, "1234567890123456", [&late](const Message&) { late = true; });
  ++key.trace;
  exchange.Expect(key, nullptr, other, "", {});
  waiter->Leave();
  std::string reply;
  const bool answered = exchange.OnMessage(bytes, &reply);
  WS_CHECK(!answered || !waiter->Leave(), "what was answered has its answer");
  WS_CHECK(other->Leave(), "nobody else has");
  WS_CHECK(reply.empty() || message.mti() == "0800", "only a network request is answered");
  exchange.OnMessage(bytes, &reply);
  WS_CHECK(!late, "nobody gave up");
}

void CheckMessage(const Host& parts, std::string_view bytes) {
  const HostFile& host = parts.plain->file;
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
  MacIsRight(host.specification, *parts.with_mac->mac, bytes, message);
  CheckMeaning(*parts.plain, message);
  CheckExchange(parts.plain, message, bytes);
  CheckExchange(parts.with_mac, message, bytes);
}

void Check(const Host& host, std::string_view stream) {
  CheckMessage(host, stream);
  std::string_view message;
  for (;;) {
    const absl::StatusOr<bool> taken = TakeFrame(host.plain->file.specification.frame(), &stream, &message);
    if (!taken.ok() || !*taken) return;
    CheckMessage(host, message);
  }
}

}  // namespace
}  // namespace waystation::adapters::iso8583

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using waystation::adapters::iso8583::Host;
  using waystation::adapters::iso8583::LoadBoth;
  static const Host electricity = LoadBoth("adapters/iso8583/electricity.json");
  static const Host ascii = LoadBoth("tests/adapters/iso8583_ascii_host.json");
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  waystation::adapters::iso8583::Check(text[0] == 'E' ? electricity : ascii, text.substr(1));
  return 0;
}
