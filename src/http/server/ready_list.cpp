#include "http/server/ready_list.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

namespace annals::http {
namespace {

int make_epoll() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor >= 0) return descriptor;
  throw boost::system::system_error(errno, boost::system::system_category(), "epoll");
}

}  // namespace

ReadyList::ReadyList(boost::asio::io_context& io, AfterEach after_each)
    : epoll_(io.get_executor(), make_epoll()), after_each_(std::move(after_each)) {
  wait();
}

bool ReadyList::add(int descriptor, Watched& watched) {
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, {.ptr = &watched}};
  return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void ReadyList::remove(const Watched& watched) {
  for (std::size_t place = next_; place < count_; ++place) {
    if (events_[place].data.ptr == &watched) events_[place].data.ptr = nullptr;
  }
}

/// Each wait asks the system anew whether anything is ready, so that nothing that has come before is missed.
void ReadyList::wait() {
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
    if (!error) tell();
  });
}

void ReadyList::tell() {
  const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), events_max, 0);
  count_ = static_cast<std::size_t>(std::max(count, 0));
  for (next_ = 0; next_ < count_;) {
    const epoll_event event = events_[next_++];
    if (event.data.ptr != nullptr) static_cast<Watched*>(event.data.ptr)->on_ready(event.events);
    after_each_(next_ == count_);
  }
  count_ = 0;
  wait();
}

}  // namespace annals::http
