#include "adapters/sim/electricity_host.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "adapters/iso8583/codec.h"
#include "adapters/iso8583/frame.h"
#include "adapters/iso8583/host_file.h"
#include "adapters/iso8583/mac.h"
#include "adapters/iso8583/trace.h"
#include "adapters/iso8583/wire.h"
#include "adapters/sim/listener.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "fmt/format.h"
#include "switch/core/check.h"

namespace waystation::adapters::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using iso8583::Message;

constexpr std::string_view kSignOn = "001";
constexpr std::chrono::seconds kStallLimit{30};

// One connection of the switch's. An answer that drips holds the others back, which would end up in the middle of it;
// they then go out whole, also one that would have dripped too.
struct Connection {
  std::weak_ptr<iso8583::Wire> wire;  // which holds this, and lives as long as it reads
  std::string out;
  std::string held_back;
  bool dripping = false;
};

class ElectricityHost final : public Host {
 public:
  ElectricityHost(const HostParts& parts, iso8583::HostFile file, std::unique_ptr<iso8583::Mac> mac)
      : file_(std::move(file)),
        mac_(std::move(mac)),
        biller_(parts.name, BillerRules::Electricity(), parts.books, parts.clock),
        faults_(parts.faults),
        io_(parts.io),
        listener_(parts.io, parts.listen,
                  [this](std::shared_ptr<tcp::socket> socket) { return Serve(std::move(socket)); }) {}

  absl::Status Open() override { return listener_.Open(); }
  void Refuse() override { listener_.Refuse(); }
  void CutAll() override;
  std::string address() const override { return listener_.address(); }
  std::string Statement(core::BusinessDate date) const override;

 private:
  using Shared = std::shared_ptr<Connection>;

  asio::awaitable<void> Serve(std::shared_ptr<tcp::socket> socket);
  void OnMessage(const Shared& connection, std::string_view bytes);
  // The operation in the words of Faults; empty: none that this host has.
  std::string_view OperationOf(const Message& request) const;
  BillerAnswer Decide(std::string_view operation, const Message& request, bool refuse);
  // Whether the request is about a payment that came otherwise than its element 90 says.
  bool NamesAnotherOriginal(std::string_view reference, const Message& request) const;
  Message AnswerTo(const Message& request, const BillerAnswer& decided, std::string_view operation) const;
  // Waits, then has the request decided and answered.
  asio::awaitable<void> TakeUpLater(Shared connection, Message request, std::string_view operation, Fault fault);
  void Answer(const Shared& connection, Message answer, const Fault& fault);
  asio::awaitable<void> Send(Shared connection, Delivery delivery);

  const iso8583::HostFile file_;
  const std::unique_ptr<iso8583::Mac> mac_;  // null: without
  Biller biller_;
  Faults* const faults_;
  asio::io_context* const io_;
  Listener listener_;
  std::vector<std::weak_ptr<Connection>> connections_;
  // How payments came, as element 90 is to name them, by our reference; since the program started.
  std::map<std::string, std::string, std::less<>> originals_;
};

void Kick(const Connection& connection) {
  if (const std::shared_ptr<iso8583::Wire> wire = connection.wire.lock()) wire->Kick();
}

void Close(const Connection& connection, const std::string& cause) {
  if (const std::shared_ptr<iso8583::Wire> wire = connection.wire.lock()) wire->Close(cause);
}

// Element 90 of what is to be taken back or asked for.
std::string OriginalElements(const Message& payment) {
  constexpr size_t kInstitutionDigits = 11;
  return fmt::format("{}{}{}{:0>{}}{:0>{}}", payment.mti(), payment.Get(11), payment.Get(7), payment.Get(32),
                     kInstitutionDigits, "", kInstitutionDigits);
}

asio::awaitable<void> ElectricityHost::Serve(std::shared_ptr<tcp::socket> socket) {
  auto connection = std::make_shared<Connection>();
  const auto wire = std::make_shared<iso8583::Wire>(std::move(*socket), file_.specification.frame(), kStallLimit);
  connection->wire = wire;
  std::erase_if(connections_, [](const std::weak_ptr<Connection>& one) { return one.expired(); });
  connections_.push_back(connection);
  wire->Start({.fill = [connection](std::string* out) { out->append(std::exchange(connection->out, "")); },
               .message = [this, connection](std::string_view bytes) { OnMessage(connection, bytes); },
               .ended = [connection](const std::string&) { connection->wire.reset(); }});
  co_return;
}

void ElectricityHost::CutAll() {
  for (const std::weak_ptr<Connection>& one : std::exchange(connections_, {})) {
    if (const Shared connection = one.lock()) Close(*connection, "cut");
  }
}

void ElectricityHost::OnMessage(const Shared& connection, std::string_view bytes) {
  Message request;
  const bool readable = iso8583::Unpack(file_.specification, bytes, &request).ok();
  if (!readable || (mac_ && !iso8583::MacIsRight(file_.specification, *mac_, bytes, request))) {
    return Close(*connection, "a message that cannot be read, or with a wrong MAC");
  }
  const std::string_view operation = OperationOf(request);
  BillerAnswer decided;
  decided.code = kDone;
  if (operation == "sign-on") {
    Message answer = AnswerTo(request, decided, operation);
    std::string frame;
    if (iso8583::PackFrame(file_.specification, mac_.get(), &answer, &frame).ok()) {
      connection->out += frame;
      Kick(*connection);
    }
    return;
  }
  const iso8583::Dialect& dialect = file_.dialect;
  const std::string reference(dialect.Read(request, dialect.our_reference));
  std::string customer(dialect.Read(request, dialect.customer_number));
  if (customer.empty()) customer = biller_.CustomerOf(reference);
  const Fault fault = faults_->Next(operation, customer);
  if (fault.kind == FaultKind::kHeldUp) {
    asio::co_spawn(*io_, TakeUpLater(connection, std::move(request), operation, fault), asio::detached);
    return;
  }
  if (!HasEffect(fault.kind) && fault.kind != FaultKind::kDecline) {
    biller_.NoteUnheard(operation, reference);
  } else {
    decided = Decide(operation, request, fault.kind == FaultKind::kDecline);
  }
  Answer(connection, AnswerTo(request, decided, operation), fault);
}

asio::awaitable<void> ElectricityHost::TakeUpLater(Shared connection, Message request, std::string_view operation,
                                                   Fault fault) {
  asio::steady_timer timer(*io_, fault.delay);
  co_await timer.async_wait(asio::use_awaitable);
  const BillerAnswer decided = Decide(operation, request, false);
  if (!connection->wire.expired()) Answer(connection, AnswerTo(request, decided, operation), fault);
}

std::string_view ElectricityHost::OperationOf(const Message& request) const {
  const std::string_view mti = request.mti();
  if (mti == "0800") return request.Get(70) == kSignOn ? "sign-on" : "probe";
  if (mti == "0420" || mti == "0421") return "reverse";
  const std::string_view code = request.Get(3);
  const iso8583::Dialect& dialect = file_.dialect;
  if (code == dialect.processing_code(iso8583::Operation::kInquiry)) return "inquire";
  if (code == dialect.processing_code(iso8583::Operation::kPayment)) return "pay";
  if (code == dialect.processing_code(iso8583::Operation::kQuery)) return "query";
  if (code == dialect.processing_code(iso8583::Operation::kCancel)) return "cancel";
  return "";
}

BillerAnswer ElectricityHost::Decide(std::string_view operation, const Message& request, bool refuse) {
  const iso8583::Dialect& dialect = file_.dialect;
  const std::string reference(dialect.Read(request, dialect.our_reference));
  const std::string customer(dialect.Read(request, dialect.customer_number));
  int64_t amount = 0;
  BillerAnswer answer;
  answer.code = "30";  // format error; in no table of the switch's
  if (request.Has(4) && !absl::SimpleAtoi(std::string(request.Get(4)), &amount)) return answer;
  if (operation == "pay") {
    originals_.try_emplace(reference, OriginalElements(request));
    return biller_.Pay(reference, customer, core::Money::Fen(amount), refuse);
  }
  if (refuse || NamesAnotherOriginal(reference, request)) {
    biller_.NoteUnheard(operation, reference);
    answer.code = refuse ? kRefused : kNoSuchPayment;
  } else if (operation == "inquire") {
    answer = biller_.Inquire(customer);
  } else if (operation == "query") {
    answer = biller_.Query(reference);
  } else if (operation == "reverse") {
    answer = biller_.Reverse(reference);
  } else if (operation == "cancel") {
    answer = biller_.Cancel(reference);
  } else if (operation == "probe") {
    answer = biller_.Probe();
  } else {
    biller_.NoteUnheard(operation, reference);
  }
  return answer;
}

bool ElectricityHost::NamesAnotherOriginal(std::string_view reference, const Message& request) const {
  const auto original = originals_.find(reference);
  return request.Has(90) && original != originals_.end() && original->second != request.Get(90);
}

Message ElectricityHost::AnswerTo(const Message& request, const BillerAnswer& decided,
                                  std::string_view operation) const {
  const iso8583::Dialect& dialect = file_.dialect;
  Message answer;
  std::string mti(request.mti());
  mti[2] = static_cast<char>(mti[2] + 1);
  mti[3] = '0';
  answer.set_mti(mti);
  for (const int echoed : {3, 4, 7, 11, 12, 13, 41, 42, 49, 70}) {
    if (request.Has(echoed)) answer.Set(echoed, request.Get(echoed));
  }
  answer.Set(39, decided.code);
  if (operation == "query" && decided.code == kDone) answer.Set(4, fmt::format("{:012}", decided.amount.fen()));
  const auto write = [&](const iso8583::Place& place, std::string_view value) {
    if (value.empty()) return;
    const absl::Status written = dialect.Write(place, value, &answer);
    WS_CHECK(written.ok(), std::string(written.message()));
  };
  write(dialect.our_reference, dialect.Read(request, dialect.our_reference));
  write(dialect.biller_reference, decided.biller_reference);
  write(dialect.customer_name, decided.customer_name);
  if (operation == "inquire" && decided.code == kDone) write(dialect.owed, fmt::format("{}", decided.owed.fen()));
  write(dialect.voucher, decided.voucher);
  write(dialect.original_code, decided.original_code);
  return answer;
}

void ElectricityHost::Answer(const Shared& connection, Message answer, const Fault& fault) {
  if (fault.kind == FaultKind::kWrongReference) {
    uint32_t trace = 0;
    if (absl::SimpleAtoi(std::string(answer.Get(11)), &trace)) {
      answer.Set(11, iso8583::TraceText(iso8583::NextTrace(trace)));
    }
  }
  std::string frame;
  // What cannot be packed is an answer that never comes.
  if (!iso8583::PackFrame(file_.specification, mac_.get(), &answer, &frame).ok()) return;
  if (fault.kind == FaultKind::kBadMac && mac_) frame.back() = static_cast<char>(frame.back() ^ 1);
  Delivery delivery = Deliver(fault, faults_->NextLatency(), std::move(frame), faults_->random());
  if (!delivery.cut && delivery.pieces.size() == 1 && delivery.pieces[0].wait.count() == 0) {
    (connection->dripping ? connection->held_back : connection->out) += delivery.pieces[0].bytes;
    Kick(*connection);
  } else if (!delivery.pieces.empty()) {
    asio::co_spawn(*io_, Send(connection, std::move(delivery)), asio::detached);
  }
}

asio::awaitable<void> ElectricityHost::Send(Shared connection, Delivery delivery) {
  const bool drips = delivery.pieces.size() > 2;
  bool held_back = false;
  asio::steady_timer timer(*io_);
  for (size_t i = 0; i < delivery.pieces.size(); ++i) {
    const Delivery::Piece& piece = delivery.pieces[i];
    if (piece.wait.count() > 0 && !held_back) {
      timer.expires_after(piece.wait);
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (connection->wire.expired()) co_return;
    if (i == 0) {
      held_back = connection->dripping;
      if (drips && !held_back) connection->dripping = true;
    }
    (held_back ? connection->held_back : connection->out) += piece.bytes;
    Kick(*connection);
  }
  if (drips && !held_back) {
    connection->dripping = false;
    connection->out += std::exchange(connection->held_back, "");
    Kick(*connection);
  }
  if (const std::shared_ptr<iso8583::Wire> wire = connection->wire.lock(); wire && delivery.cut) {
    wire->CloseWhenWritten();
  }
}

std::string ElectricityHost::Statement(core::BusinessDate date) const {
  std::string lines;
  uint64_t counts[2] = {};
  int64_t totals[2] = {};
  biller_.books().ForEach(biller_.host(), date, [&](const std::string& reference, const Entry& entry) {
    const bool reversal = entry.state == EntryState::kTakenBack && entry.date < date;
    if (entry.state != EntryState::kApplied && !reversal) return;
    ++counts[reversal];
    totals[reversal] += entry.amount.fen();
    lines += fmt::format("{}|{}|{}|{}|{}|{}|{}\n", reversal ? 'R' : 'D', reference, entry.biller_reference,
                         entry.customer_number, entry.amount.fen(),
                         iso8583::LocalTime(reversal ? entry.taken_back_at : entry.at), entry.voucher);
  });
  return fmt::format("H|{}|{}|{}\n{}T|{}|{}|{}|{}\n", biller_.host(), date.number(), "CNY", lines, counts[0], totals[0],
                     counts[1], totals[1]);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> MakeElectricityHost(const HostParts& parts) {
  SettingsReader reader(parts.settings);
  const std::string specification = reader.Text("specification");
  const std::string mac_key_file = reader.Text("mac_key_file", "");
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  absl::StatusOr<iso8583::HostFile> file = iso8583::HostFile::Load(specification);
  if (!file.ok()) return file.status();
  std::unique_ptr<iso8583::Mac> mac;
  if (!mac_key_file.empty()) {
    if (absl::Status status = iso8583::CheckMacFields(file->specification); !status.ok()) return status;
    absl::StatusOr<std::unique_ptr<iso8583::Mac>> made = iso8583::Mac::FromFile(mac_key_file);
    if (!made.ok()) return made.status();
    mac = *std::move(made);
  }
  return std::unique_ptr<Host>(new ElectricityHost(parts, *std::move(file), std::move(mac)));
}

}  // namespace waystation::adapters::sim
