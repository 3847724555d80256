#include "event/read_interest.hpp"

#include <utility>

namespace annals {
namespace {

thread_local const ReadInterest* innermost = nullptr;

}  // namespace

ReadInterest::ReadInterest(std::function<bool()> wanted)
    : wanted_(std::move(wanted)), outer_(std::exchange(innermost, this)) {}

ReadInterest::~ReadInterest() {
  innermost = outer_;
}

bool ReadInterest::may_end() {
  return innermost != nullptr;
}

bool ReadInterest::has_ended() {
  return innermost != nullptr && !innermost->wanted_();
}

}  // namespace annals
