#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "adapters/outcome_text.h"
#include "adapters/remote/card_text.h"
#include "adapters/remote/remote_biller.h"
#include "bench/temporary_folder.h"
#include "gtest/gtest.h"
#include "tests/adapters/adapter_process.h"
#include "tests/adapters/await.h"
#include "tests/adapters/payment.h"
#include "tests/e2e/child.h"

// TLS between the switch and an adapter process: whoever is not proved to be the right one is sent nothing.
namespace waystation::adapters {
namespace {

class RemoteTls : public testing::Test {
 protected:
  // A self-signed certificate that is its own CA, NAME.pem, for that host; its key is NAME.key.
  void MakeCertificate(const std::string& name, const std::string& subject_alternative_name) const {
    const e2e::Ended ended = e2e::RunToEnd(
        {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=" + subject_alternative_name, "-keyout",
         File(name + ".key"), "-out", File(name + ".pem")},
        File("openssl_errors"));
    ASSERT_EQ(ended.exit_status, 0) << ended.errors;
  }
  std::string File(const std::string& name) const { return folder_->path() + "/" + name; }
  std::string Read(const std::string& name) const {
    std::ifstream file(File(name));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // A process that shows this certificate, and demands one of `client_ca` unless that is empty.
  void Start(const std::string& name, const std::string& client_ca = "") {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({Read(name + ".key"), Read(name + ".pem")});
    if (!client_ca.empty()) {
      options.pem_root_certs = Read(client_ca + ".pem");
      options.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    }
    process_.credentials = grpc::SslServerCredentials(options);
    process_.Start();
  }
  std::string Pay(Settings settings) {
    settings["address"] = process_.address();
    const auto biller = remote::RemoteBiller::CreateWithCard(settings, remote::CardText(process_.described), {});
    if (!biller.ok()) return std::string(biller.status().message());
    const PaymentRequest request = MakePayment(1, "123", core::Money::Fen(500));
    return Kind(Await((*biller)->Pay(request, In(std::chrono::seconds(20)))));
  }

  const std::unique_ptr<bench::TemporaryFolder> folder_ = *bench::TemporaryFolder::Make(bench::DefaultParentFolder());
  AdapterProcess process_;
};

TEST_F(RemoteTls, OnlyTheHostThatTheCaVouchesForIsSentAnything) {
  MakeCertificate("water", "IP:127.0.0.1");
  MakeCertificate("other", "IP:127.0.0.1");
  Start("water");
  EXPECT_EQ(Pay({{"tls_ca_file", File("water.pem")}}), "approved");
  EXPECT_EQ(Pay({{"tls_ca_file", File("other.pem")}}), "not sent");
  EXPECT_EQ(Pay({}), "not sent") << "plain text to a port that speaks TLS";
  EXPECT_EQ(process_.payments(), 1);
}

TEST_F(RemoteTls, TheHostNameIsChecked) {
  MakeCertificate("water", "DNS:water.example");
  Start("water");
  EXPECT_EQ(Pay({{"tls_ca_file", File("water.pem")}}), "not sent");
  EXPECT_EQ(process_.payments(), 0);
}

TEST_F(RemoteTls, TheSwitchShowsItsOwnCertificate) {
  MakeCertificate("water", "IP:127.0.0.1");
  MakeCertificate("switch", "DNS:switch.example");
  Start("water", "switch");
  EXPECT_EQ(Pay({{"tls_ca_file", File("water.pem")}}), "not sent");
  EXPECT_EQ(Pay({{"tls_ca_file", File("water.pem")},
                 {"tls_certificate_file", File("switch.pem")},
                 {"tls_key_file", File("switch.key")}}),
            "approved");
  EXPECT_EQ(process_.payments(), 1);
}

TEST_F(RemoteTls, APortThatSpeaksNoTlsIsSentNothing) {
  MakeCertificate("water", "IP:127.0.0.1");
  process_.Start();
  EXPECT_EQ(Pay({{"tls_ca_file", File("water.pem")}}), "not sent");
  EXPECT_EQ(process_.payments(), 0);
}

}  // namespace
}  // namespace waystation::adapters
