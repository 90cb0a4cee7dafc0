#pragma once

#include "adapters/http/client.h"
#include "adapters/settings.h"

namespace waystation::adapters::http {

enum class Transport { kTls, kTlsOrPlain };

// Asks for the settings that an adapter's host is reached by: url, ca_file (with https, and only then),
// most_idle_connections, idle_limit_ms, most_answer_bytes. What is wrong with them, also in the CA's file, the reader's
// Finish says.
ClientOptions ReadClientOptions(SettingsReader& reader, Transport transport);

}  // namespace waystation::adapters::http
