#pragma once
// Batch: groups on their way into the log, encoded and hashed, and made durable together by Log::commit.
//
//     Batch& batch = log.start_batch();
//     batch.begin_group(now);
//     batch.begin_record().append("body");   // as often as the group has records
//     batch.end_record();
//     auto stamp = TRY(batch.end_group());
//     TRY(log.commit(batch));
//
// Confined to one thread.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "log/record.hpp"

namespace annals::log {

class Hasher;

class Batch {
 public:
  /// Where a group of the batch goes, if the batch is committed.
  struct Stamp {
    Position first;
    Position last;
    Instant created_at;  ///< of the first record; each next one is 1 us later
  };
  struct Staged {
    Stamp stamp;
    std::size_t begin = 0;  ///< of the frame, in bytes()
    std::size_t end = 0;
    Place place;  ///< known once committed
  };

  /// Stamps the group `now`, or 1 us after the last record if that is later.
  void begin_group(Instant now);
  /// Where the record's body is to be appended. A record that is copied from elsewhere keeps its node.
  [[nodiscard]] std::string& begin_record(std::optional<std::uint32_t> node_id = {});
  void end_record();
  /// Ends the group. Errors: too_large, when it fits no segment; the batch is then as if it had never begun.
  Result<Stamp> end_group();

  /// What end_group would refuse of a group of so many records whose bodies have so many bytes together. Any thread.
  /// Errors: too_large.
  [[nodiscard]] Result<> check_size(std::size_t records, std::size_t body_bytes) const;

  [[nodiscard]] const std::vector<Staged>& groups() const { return groups_; }
  /// The last position of the log once the batch has been committed.
  [[nodiscard]] Position last() const { return state_.last; }
  [[nodiscard]] Instant last_time() const { return state_.last_time; }

 private:
  friend class Writer;

  struct State {
    Position last;
    Hash last_hash = hash_of_nothing;
    Instant last_time{};
  };

  Batch(Hasher& hasher, std::uint32_t node_id, std::size_t frame_bytes_max)
      : hasher_(hasher), node_id_(node_id), frame_bytes_max_(frame_bytes_max) {}
  void start(const State& state);
  [[nodiscard]] Result<> check_frame(std::size_t frame_bytes) const;

  Hasher& hasher_;
  const std::uint32_t node_id_;
  const std::size_t frame_bytes_max_;
  std::string bytes_;  // frames, one after another, their headers still empty
  std::vector<Staged> groups_;
  State state_;
  State before_group_;
  std::size_t group_begin_ = 0;
  std::size_t record_begin_ = 0;
  std::uint32_t count_ = 0;
  Instant created_at_{};
};

}  // namespace annals::log
