#pragma once
// Faults: what is wrong with what somebody sent, collected so that all of it is told at once, within a bound: a body
// of a few megabytes could have hundreds of thousands of faults, and a reply with as many helps nobody. Confined to one
// thread at a time.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace annals {

/// Of one request.
inline constexpr std::size_t faults_max = 100;
/// Unknown names that one request has looked up among the known ones, because the time goes with all of those.
inline constexpr std::size_t near_names_max = 10;

class Faults {
 public:
  /// How many of each are told; the rest of what the request may have.
  struct Limits {
    std::size_t faults = faults_max;
    std::size_t near_names = near_names_max;
  };

  Faults() = default;
  explicit Faults(Limits limits) : limits_(limits) {}

  void add(Fault fault) {
    if (told_.size() < limits_.faults) {
      told_.push_back(std::move(fault));
    } else {
      more_ = true;
    }
  }
  /// Those of an error, at their places below `pointer`; where it has none, the error itself.
  void add(const std::string& pointer, const Error& error) {
    if (error.faults.empty()) return add({pointer, error.code, error.message});
    for (const Fault& one : error.faults) add({pointer + one.pointer, one.code, one.detail});
  }
  [[nodiscard]] bool empty() const { return told_.empty() && !more_; }
  [[nodiscard]] std::size_t size() const { return told_.size(); }
  /// True once there are more than are told: nothing further need be worked out.
  [[nodiscard]] bool more() const { return more_; }
  /// What is left of the limits.
  [[nodiscard]] Limits left() const { return {limits_.faults - told_.size(), limits_.near_names}; }
  /// Whether the names near to one more unknown name are worth their time; counts it.
  [[nodiscard]] bool take_near_name() {
    if (limits_.near_names == 0) return false;
    --limits_.near_names;
    return true;
  }
  /// As if take_near_name had been called so often by another with what was left.
  void near_names_taken(std::size_t taken) { limits_.near_names -= std::min(taken, limits_.near_names); }

  /// What a message ends with: that not all is told, or nothing.
  [[nodiscard]] std::string more_told() const {
    return more_ ? "; errors tells the first " + std::to_string(told_.size()) + ", and nothing further was looked at"
                 : "";
  }
  [[nodiscard]] std::vector<Fault> take() { return std::move(told_); }

 private:
  Limits limits_;
  std::vector<Fault> told_;
  bool more_ = false;
};

/// Collects what is wrong with the elements of one list, as an error that tells the first and points at each.
class ElementFaults {
 public:
  void add(std::size_t place, const Error& error) {
    if (!first_) {
      first_ = error;
      first_->message = "element " + std::to_string(place + 1) + ": " + error.message;
    }
    first_->faults.push_back({"/" + std::to_string(place), error.code, error.message});
  }
  [[nodiscard]] bool empty() const { return !first_; }
  /// One more than is told, so that it is known that there are more.
  [[nodiscard]] bool enough() const { return first_ && first_->faults.size() > faults_max; }
  /// INVARIANT: not empty.
  [[nodiscard]] Error take() { return *std::move(first_); }

 private:
  std::optional<Error> first_;
};

}  // namespace annals
