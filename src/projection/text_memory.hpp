#pragma once
// TextMemory: keeps the values of a table's rows to so many bytes of memory. A row whose value is in memory is hot; the
// value of a cold one lies in a SpillFile, and is read back when somebody asks for it. Which ones stay is decided by
// second chance: a hand goes round the hot rows, passes by those that were used since it last came, and takes the rest
// (Corbato's clock). A use costs no more than a bit that is set.
//
// Why a reader never gets another text than that of the row's version: a row is one version of one record, so it has
// one text, ever. That text is in the file before the row lets go of it in memory, and the place where the file has it
// is given back only when the row is freed, which whoever reads or moves it prevents by holding it. So at any moment
// one of the two has it, and which one is said by one word (ApartText::block) that changes in one step. The table
// decides which row is a key's, as it always does.
//
// When what the file has cannot be read back, the record is folded from the log again. When nothing can be written,
// everything stays in memory until it can.
//
// Thread-safe. It outlives the rows that it has made.

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/throttle.hpp"
#include "platform/platform.hpp"
#include "projection/spill_file.hpp"
#include "projection/stored_row.hpp"

namespace annals::projection {

/// Whether a cold value that is read shall stay in memory.
enum class Use : std::uint8_t {
  keeps,   ///< yes: it may well be asked for again
  passes,  ///< no: everything is looked at once
};

struct TextMemoryStatus {
  std::uint64_t bytes = 0;       ///< of values in memory
  std::uint64_t bytes_max = 0;   ///< that they may take
  std::uint64_t cold = 0;        ///< rows whose values are not in memory
  std::uint64_t file_bytes = 0;  ///< what the file takes of the disk
  std::uint64_t loads = 0;       ///< values that were read back
  std::uint64_t evictions = 0;   ///< values that left the memory
  std::uint64_t recalls = 0;     ///< values that could not be read back and were folded from the log
  bool stuck = false;            ///< nothing can be written into the file
};

class TextMemory {
 public:
  /// The text of a record at a version, from the log; null when that is not its last version there.
  using Recall = std::function<Result<SharedText>(std::string_view key, StreamVersion version)>;

  /// `name` is the model's, `path` where the file shall be.
  TextMemory(std::string name, std::uint64_t bytes_max, std::string path, platform::Platform platform);
  ~TextMemory();
  TextMemory(const TextMemory&) = delete;
  TextMemory& operator=(const TextMemory&) = delete;

  /// To be set before the first value is asked for.
  void set_recall(Recall recall) { recall_ = std::move(recall); }

  /// A hot row of a record that exists.
  [[nodiscard]] RowHolder make(const RowHolder::Head& head, std::string_view value);

  /// Moves values out until the rest fits. To be called after `make`, without a lock that readers wait for.
  void make_room();

  /// The value of a row. Errors: those of the recall; corrupt, input_output when there is none.
  [[nodiscard]] Result<SharedText> text(const StoredRow& row, Use use);
  /// The values of several rows that lie apart, in their order, which are read in the order in which the file has them.
  [[nodiscard]] Result<std::vector<SharedText>> texts(std::span<const StoredRow* const> rows, Use use);

  [[nodiscard]] TextMemoryStatus status() const;

 private:
  friend class RowHolder;

  /// The last holder has let go of the row.
  void forget(const StoredRow& row) noexcept;

  [[nodiscard]] Result<SharedText> load(const StoredRow& row, std::uint64_t place, Use use);
  [[nodiscard]] Result<SharedText> recall(const StoredRow& row, const Error& error);
  [[nodiscard]] SharedText install(const StoredRow& row, const SharedText& text, bool from_file);
  void add_to_ring(const StoredRow& row);
  void remove_from_ring(const StoredRow& row);
  [[nodiscard]] std::vector<RowHolder> take_victims(std::uint64_t bytes);
  [[nodiscard]] std::size_t looks_for_two_rounds() const;
  [[nodiscard]] bool evict_some();
  [[nodiscard]] Result<> write_down(std::span<const RowHolder> rows);
  void note_failure(const Error& error);
  void note_success();

  const std::string name_;
  const std::uint64_t bytes_max_;
  const platform::Platform platform_;
  Recall recall_;
  SpillFile file_;

  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> loads_{0};
  std::atomic<std::uint64_t> evictions_{0};
  std::atomic<std::uint64_t> recalls_{0};
  std::atomic<bool> stuck_{false};
  Throttle damage_log_{std::chrono::seconds(1)};

  mutable std::mutex mutex_;
  std::vector<const StoredRow*> ring_;  // the hot rows; guarded by mutex_, as are the next two
  std::size_t hand_ = 0;
  std::uint64_t rows_ = 0;  // hot and cold

  std::mutex evict_mutex_;  // of those who move values out; taken before mutex_
  Duration try_again_{0};   // once stuck, when; guarded by evict_mutex_
};

}  // namespace annals::projection
