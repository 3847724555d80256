#include "server/environment.hpp"

#include <gtest/gtest.h>

#include "server/settings.hpp"

namespace annals::server {
namespace {

/// What one variable is taken to mean; "(known)" when nothing is said of it.
std::string meant(std::string_view line) {
  const std::vector<std::string_view> environment{line};
  const auto stray = stray_variables(environment);
  if (stray.empty()) return "(known)";
  EXPECT_EQ(stray.size(), 1u);
  return stray.front().meant;
}

TEST(environment, the_variable_of_every_setting_is_known) {
  for (const Setting& setting : settings_catalogue()) EXPECT_EQ(meant(environment_name(setting) + "=x"), "(known)");
  for (const char* other : {"DATABASE_URL=x", "PATH=/bin", "PGPASSWORD=x", "ANNALS=x", "MY_ANNALS_LISTN=x", "", "=x"})
    EXPECT_EQ(meant(other), "(known)") << other;
}

TEST(environment, of_one_that_nothing_reads_the_nearest_is_told) {
  EXPECT_EQ(meant("ANNALS_STORE_DATABSE_URL=x"), "ANNALS_STORE_DATABASE_URL");
  EXPECT_EQ(meant("ANNALS_SERVER_LISTN=x"), "ANNALS_SERVER_LISTEN");
  EXPECT_EQ(meant("ANNALS_LISTN=x"), "ANNALS_SERVER_LISTEN") << "without its table, and misspelt";
  EXPECT_EQ(meant("ANNALS_DATABSE_URL=x"), "ANNALS_STORE_DATABASE_URL");
  EXPECT_EQ(meant("ANNALS_DATABASE_URL=x"), "ANNALS_STORE_DATABASE_URL");
  EXPECT_EQ(meant("ANNALS_PASSWORD=x"), "ANNALS_STORE_PASSWORD");
  EXPECT_EQ(meant("ANNALS_DATA=x"), "ANNALS_STORE_DIRECTORY") << "as the flag is called";
  EXPECT_EQ(meant("ANNALS_LEVEL=x"), "ANNALS_LOG_LEVEL");
  EXPECT_EQ(meant("ANNALS_store_sync=x"), "ANNALS_STORE_SYNC");
  EXPECT_EQ(meant("ANNALS_XYZZY=x"), "");
  EXPECT_EQ(meant("ANNALS_=x"), "");
  EXPECT_EQ(meant("ANNALS_LISTN"), "ANNALS_SERVER_LISTEN") << "without a value";
}

TEST(environment, what_is_set_where_a_service_is_called_annals_is_nobodys_slip) {
  for (const char* line :
       {"ANNALS_SERVICE_HOST=10.0.0.1", "ANNALS_SERVICE_PORT=4000", "ANNALS_SERVICE_PORT_HTTP=4000",
        "ANNALS_PORT=tcp://10.0.0.1:4000", "ANNALS_PORT_4000_TCP=tcp://10.0.0.1:4000", "ANNALS_PORT_4000_TCP_PROTO=tcp",
        "ANNALS_PORT_4000_TCP_ADDR=10.0.0.1", "ANNALS_DB_SERVICE_HOST=10.0.0.2", "ANNALS_DB_PORT_5432_TCP_PORT=5432"})
    EXPECT_EQ(meant(line), "(known)") << line;
  EXPECT_EQ(meant("ANNALS_PORT=4000"), "ANNALS_STORE_PORT");
  EXPECT_EQ(meant("ANNALS_PORT_X_TCP=x"), "ANNALS_STORE_PORT");
}

TEST(environment, what_is_said_of_them_has_no_value_in_it_and_is_in_order_of_names) {
  const std::vector<std::string_view> environment{"ANNALS_PASWORD=hunter2", "HOME=/", "ANNALS_JOBS=hunter2"};
  const auto stray = stray_variables(environment);
  ASSERT_EQ(stray.size(), 2u);
  EXPECT_EQ(warning_of(stray[0]),
            "the variable ANNALS_JOBS of the environment is ignored: no setting is called so; `annals settings` prints "
            "what there is");
  EXPECT_EQ(warning_of(stray[1]),
            "the variable ANNALS_PASWORD of the environment is ignored: no setting is called so; did you mean "
            "ANNALS_STORE_PASSWORD?");
}

}  // namespace
}  // namespace annals::server
