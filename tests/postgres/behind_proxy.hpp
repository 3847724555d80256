#pragma once
// The tests of a PostgreSQL store that reaches its server through a proxy. Confined to one thread.

#include <memory>
#include <string>

#include "tests/postgres/cutting_proxy.hpp"
#include "tests/postgres/test_database.hpp"

namespace annals::test {

/// A store that reaches its server through a proxy.
class BehindProxy : public PostgresTest {
 protected:
  BehindProxy() {
    store::PostgresOptions direct = options();
    const std::string url = options().url;
    const auto part = [&](const std::string& name) {
      const std::size_t begin = url.find(name + "=") + name.size() + 1;
      return url.substr(begin, url.find('&', begin) - begin);
    };
    proxy_ = std::make_unique<CuttingProxy>(part("host"), part("port"));
    options().url = "postgres://" + part("user") + "@127.0.0.1:" + std::to_string(proxy_->port()) + "/postgres";
  }
  CuttingProxy& proxy() { return *proxy_; }

 private:
  std::unique_ptr<CuttingProxy> proxy_;
};

}  // namespace annals::test
