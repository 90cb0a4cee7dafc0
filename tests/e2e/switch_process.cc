#include "tests/e2e/switch_process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>

#include "fmt/format.h"
#include "google/protobuf/util/json_util.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace waystation::e2e {
namespace {

constexpr std::chrono::seconds kStartLimit{30};
constexpr std::chrono::seconds kStopLimit{30};

constexpr char kConfiguration[] = R"(listen:
  address: "{0}"
storage:
  data_dir: "{1}"
  snapshot_interval_ms: {2}
  low_disk_mb: {9}
  enough_disk_mb: {10}
  ballast_mb: {11}
{12}
workers:
  threads: {3}
  max_in_progress: {13}
resolver:
  first_query_after_ms: {4}
  longest_interval_ms: {5}
  review_after_ms: {6}
first_business_date: "{7}"
{8}
billers:
)";

constexpr char kBiller[] = R"(  - id: {0}
    name: {0} of the sandbox
    adapter: sandbox
    settings:
      profile: {0}
      latency_ms: {1}
    card:
      time_limit_ms: {2}
      step_fen: {3}
{4}    breaker:
      consecutive_failures: {5}
      least_requests: 1000000
      probe_after_ms: {6}
)";

std::string Yaml(const SwitchOptions& o, const std::string& folder) {
  const std::string backups = o.with_backups ? fmt::format("  backup_dir: \"{}/backups\"", folder) : "";
  std::string yaml =
      fmt::format(kConfiguration, o.address, o.data_folder, o.snapshot_interval_ms, o.worker_threads,
                  o.first_query_after_ms, o.longest_interval_ms, o.review_after_ms, o.first_business_date, o.more_yaml,
                  o.low_disk_mb, o.enough_disk_mb, o.ballast_mb, backups, o.max_in_progress);
  for (const char* biller : {"mobile", "electricity", "gas"}) {
    yaml += fmt::format(kBiller, biller, o.latency_ms, o.time_limit_ms, biller[0] == 'm' ? o.step_fen : 1,
                        biller[0] == 'g' ? fmt::format("      most_fen: {}\n", o.gas_most_fen) : "", o.breaker_failures,
                        o.probe_after_ms);
  }
  return yaml + o.more_billers;
}

}  // namespace

// Longer than gRPC waits between two tries to connect.
constexpr std::chrono::seconds kConnectLimit{30};

Api Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  Api api;
  api.channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  api.payments = v1::PaymentService::NewStub(api.channel);
  api.accounts = v1::AccountService::NewStub(api.channel);
  api.admin = v1::AdminService::NewStub(api.channel);
  api.exceptions = v1::ExceptionService::NewStub(api.channel);
  api.journal = v1::JournalService::NewStub(api.channel);
  api.operations = v1::OperationsService::NewStub(api.channel);
  // On a loaded machine a first connection may fail, and with it each call until the next try.
  api.channel->WaitForConnected(std::chrono::system_clock::now() + kConnectLimit);
  return api;
}

absl::StatusOr<std::unique_ptr<SwitchProcess>> SwitchProcess::Make(SwitchOptions options) {
  absl::StatusOr<std::unique_ptr<bench::TemporaryFolder>> folder =
      bench::TemporaryFolder::Make(bench::DefaultParentFolder());
  if (!folder.ok()) return folder.status();
  return std::unique_ptr<SwitchProcess>(new SwitchProcess(*std::move(folder), std::move(options)));
}

SwitchProcess::SwitchProcess(std::unique_ptr<bench::TemporaryFolder> folder, SwitchOptions options)
    : folder_(std::move(folder)), options_(std::move(options)), configuration_(folder_->path() + "/switchd.yaml") {
  if (options_.data_folder.empty()) options_.data_folder = folder_->path() + "/data";
  std::ofstream(configuration_) << Yaml(options_, folder_->path());
}

absl::Status SwitchProcess::Start() {
  child_ = std::make_unique<Child>(std::vector<std::string>{"switchd", "--config", configuration_},
                                   folder_->path() + "/switchd.log");
  std::optional<std::string> address = child_->WaitForLine("listening on ", kStartLimit);
  if (!address.has_value()) return absl::UnavailableError("switchd does not listen; its stderr:\n" + child_->Errors());
  address_ = *std::move(address);
  return absl::OkStatus();
}

absl::Status SwitchProcess::Stop() {
  child_->Signal(SIGTERM);
  const std::optional<int> status = child_->WaitForEnd(kStopLimit);
  if (status == 0) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("switchd {}; its stderr:\n{}",
                                            status.has_value() ? fmt::format("ended with {}", *status) : "did not end",
                                            child_->Errors()));
}

void SwitchProcess::Kill() {
  child_->Signal(SIGKILL);
  child_->WaitForEnd(kStopLimit);
}

absl::Status SwitchProcess::VerifyJournal() const {
  const Ended verify =
      RunToEnd({"switchctl", "journal", "verify", "--data", options_.data_folder}, folder_->path() + "/verify.log");
  if (verify.exit_status == 0) return absl::OkStatus();
  return absl::DataLossError(
      fmt::format("journal verify ended with {}:\n{}{}", verify.exit_status, verify.output, verify.errors));
}

absl::StatusOr<std::vector<journal::v1::Leg>> SwitchProcess::ExportJournal() const {
  const Ended exported =
      RunToEnd({"switchctl", "journal", "export", "--data", options_.data_folder}, folder_->path() + "/export.log");
  if (exported.exit_status != 0) return absl::DataLossError("journal export: " + exported.errors);
  // A line has the leg's own fields, and some that stand beside it.
  google::protobuf::util::JsonParseOptions lenient;
  lenient.ignore_unknown_fields = true;
  std::vector<journal::v1::Leg> legs;
  std::istringstream lines(exported.output);
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = google::protobuf::util::JsonStringToMessage(line, &legs.emplace_back(), lenient);
    if (!parsed.ok()) return absl::DataLossError("journal export: " + line);
  }
  return legs;
}

}  // namespace waystation::e2e
