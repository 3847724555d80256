#pragma once
// Worker: one thread with its share of the connections and of the keys, in a closed loop: every connection sends its
// next request when the reply to the last one has come whole.
//
// Each key is written by one connection only, so that the last acknowledged value is known without doubt; keys are
// read by all connections of their worker. A value read must be one that was sent for that key, and not older than
// what had been acknowledged when the GET was sent. Where paths are given, they are read instead, in turn, and what one
// of them gives must be the same every time. Where keys are records to be made (Options::created_at_once), each write
// makes the next ones, and their reply must tell so.
//
// Confined to one thread at a time.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "benchmarks/load_generator/histogram.hpp"
#include "benchmarks/load_generator/options.hpp"
#include "benchmarks/load_generator/reply.hpp"
#include "benchmarks/load_generator/requests.hpp"

namespace annals::benchmarks {

/// What was counted in the time between warm-up and end; errors of all times.
struct Counts {
  Histogram puts;
  Histogram gets;
  std::map<std::string, std::uint64_t> errors;  ///< by cause, such as "status 503", "reset"

  void add(const Counts& other);
  [[nodiscard]] std::uint64_t error_count() const;
};

class Worker {
 public:
  /// Keys `first_key` to `first_key + key_count - 1` are this worker's; `connections` is at most `key_count`, unless
  /// keys are to be made.
  Worker(const Options& options, const ValueMaker& values, std::size_t connections, std::uint64_t first_key,
         std::uint64_t key_count);
  ~Worker();

  /// Errors: input_output, when not every connection could be made.
  [[nodiscard]] Result<> connect();

  /// Puts one value into every key of this worker.
  void fill();

  /// Sends until `end`, counts what is answered from `begin` to `end`, then waits for what is still under way (5 s at
  /// most).
  void run(Clock::time_point begin, Clock::time_point end);

  [[nodiscard]] const Counts& counts() const { return counts_; }

  /// The keys whose content is known, as pairs of key and last acknowledged sequence. A key is not among them when a
  /// PUT of it failed, for then nobody can know.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> acknowledged() const;

 private:
  struct Connection;
  struct Key {
    std::uint64_t acknowledged = 0;  // the sequence of the last one; 0 before the first
    bool uncertain = false;
  };

  /// What a path gives.
  struct Page {
    std::string request;
    std::optional<std::uint64_t> digest;  // of the first reply's body
  };

  void drive(Clock::time_point deadline);
  void on_event(Connection& connection, std::uint32_t events);
  void receive(Connection& connection);
  void on_reply(Connection& connection, const Reply& reply);
  void check_write(const Connection& connection, std::string_view body);
  void check_value(const Connection& connection, std::string_view value);
  void check_page(const Connection& connection, const Reply& reply);
  void send_next(Connection& connection, Clock::time_point now);
  void send(Connection& connection, std::string_view request);
  void send_rest(Connection& connection);
  void lose(Connection& connection, const char* cause);
  void watch(Connection& connection, bool for_writing);
  [[nodiscard]] Result<> open(Connection& connection);
  [[nodiscard]] bool choose(Connection& connection, Clock::time_point now);
  [[nodiscard]] bool choose_new(Connection& connection);
  void doubt(const Connection& connection);
  void count_error(const std::string& cause) { ++counts_.errors[cause]; }

  const Options& options_;
  const std::unique_ptr<Requests> requests_;
  Dice dice_;
  std::uint64_t first_key_;
  const std::uint64_t key_count_;
  std::vector<Key> keys_;  // where keys are made, those that are
  std::vector<Page> pages_;
  std::uint64_t last_sequence_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Descriptor poll_;
  Counts counts_;

  bool filling_ = false;
  std::size_t in_flight_ = 0;
  std::uint64_t next_read_ = 0;  // where keys, or paths, are read in order
  Clock::time_point begin_;
  Clock::time_point end_;
};

}  // namespace annals::benchmarks
