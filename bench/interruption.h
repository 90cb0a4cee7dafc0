#pragma once

namespace waystation::bench {

// From here on the first SIGINT or SIGTERM is only noted, so that children and temporary folders are cleaned up; the
// second one kills. SIGPIPE is ignored. Call it before any thread is started.
void NoteInterruptions();

// Whether one was noted. Any thread.
bool Interrupted();

}  // namespace waystation::bench
