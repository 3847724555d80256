// `annals verify`: walks a whole store and checks everything.

#include "base/wording.hpp"
#include "platform/platform.hpp"
#include "server/commands/commands.hpp"
#include "server/shown_text.hpp"
#include "server/wiring.hpp"
#include "store/embedded_store.hpp"

namespace annals::server {
namespace {

std::string describe(const log::VerifyReport& found, const std::vector<std::string>& checkpoint_faults,
                     const std::string& directory) {
  std::string text = directory + " is sound: " + counted(found.last.value, "event") + " in " +
                     counted(found.groups, "group") + " and " + counted(found.segments, "segment") + ", the last at " +
                     (found.last.value == 0 ? "no time" : found.last_time.to_text()) + ".\n";
  if (found.last.value > 0) {
    text += "Head: " + store::Anchor{found.last, found.last_hash}.to_text() + "\n";
  }
  if (found.torn) {
    // The mark of a clean stop may stand right before it: the next server's first flush can be cut short, too.
    text += "It was not stopped cleanly, or was written to since by something else: in " + found.last_segment +
            ", what follows byte " + std::to_string(found.end) +
            " is no part of the log. It looks like a flush that never finished, of which nobody was told that it had; "
            "it will be cut off at the next start.\n";
  } else if (!found.clean) {
    text += "It was not stopped cleanly, so nothing here can tell whether something is missing at its end.\n";
  }
  for (const std::string& fault : found.index_faults) text += "An index is not what the log says: " + fault + ".\n";
  if (!found.index_faults.empty()) {
    text +=
        "No event is touched by that: indexes are made from the log. What is damaged is made anew when a server finds "
        "it so, and all that is deleted in " +
        platform::join_path(directory, "index") + ", at the next start.\n";
  }
  for (const std::string& fault : checkpoint_faults) text += "A checkpoint is not what was written: " + fault + ".\n";
  if (!checkpoint_faults.empty()) {
    text += "No event is touched by that: the next start makes what it held anew, from the log.\n";
  }
  if (!found.locked) {
    text +=
        "The directory could not be locked, and there is no file LOCK and none could be made: if a server began to "
        "serve meanwhile, verify again.\n";
  }
  return text;
}

}  // namespace

int verify(const VerifyRequest& request) {
  const std::string& directory = request.directory;
  if (directory.empty()) return report(Error(ErrorKind::usage, "--data is empty; name the directory of the store"));
  if (directory == "postgres") {
    return report(Error(ErrorKind::usage,
                        "the settings lead to a database, whose integrity is PostgreSQL's to check; the store that is "
                        "verified is a directory: name it with --data (./postgres, if it is called so)"));
  }
  if (is_no_name(directory)) {
    return report(Error(ErrorKind::usage, "--data is the address " + in_quotes(directory) +
                                              "; the store that is verified is a directory" +
                                              advice_on_paths(directory)));
  }
  store::VerifyOptions options;
  for (const std::string& text : request.expected) {
    const auto anchor = store::Anchor::from_text(text);
    if (!anchor) {
      return report(Error(ErrorKind::usage, "--expect is " + in_quotes(text) +
                                                "; expected POSITION:HASH, as `annals verify` prints it behind "
                                                "\"Head:\""));
    }
    options.expected.push_back(*anchor);
  }
  options.seen = seen_flushed(platform::posix_files(), directory);
  const auto found = store::verify_embedded_store(directory, platform::posix_files(), options);
  if (!found) return report(found.error());
  if (found->blemish) return report(*found->blemish);
  std::string text = describe(*found, checkpoint_faults(platform::posix_files(), directory), directory);
  for (const store::Anchor& anchor : options.expected) {
    text += "The chain passes through " + anchor.to_text() + ", as expected.\n";
  }
  return print_or_report(text);
}

}  // namespace annals::server
