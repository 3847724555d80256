// The models of a server get the keys that its settings name, or it does not start.

#include "server/secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "model/secret_cipher.hpp"
#include "model/test_model.hpp"

namespace annals::server {
namespace {

class SecretsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(directory.data()), nullptr); }
  ~SecretsTest() override { std::filesystem::remove_all(directory); }

  static model::Model declared(const std::string& name, const std::string& attributes) {
    return model::declared_model("[model." + name + "]\npath = \"/" + name + "\"\n[model." + name +
                                 ".fields]\nid = { type = \"uuid\", primary_key = true }\npin = { type = \"string\"" +
                                 attributes + " }\n");
  }
  Result<Settings> with_keys(std::vector<model::Model> models, const std::string& key_file) {
    GivenSettings file;
    if (!key_file.empty()) file = {{"secrets.key_file", Given{key_file, "annals.toml:3:8"}}};
    const auto nothing = [](const char*) -> const char* { return nullptr; };
    return with_secret_keys(Settings::resolve({}, nothing, file, std::move(models)).value(), platform::system_random());
  }
  std::string key_file(const std::string& text, mode_t mode = 0600) {
    const std::string path = directory + "/keys";
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string directory = (std::filesystem::temp_directory_path() / "annals-secrets-XXXXXX").string();
  const std::string one_key = "k1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
};

TEST_F(SecretsTest, models_with_secret_fields_get_the_keys_and_others_do_not) {
  const auto settings =
      with_keys({declared("user", ", secret = true"), declared("thing", ", exposed = false")}, key_file(one_key));
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_TRUE(settings->models()[0].cipher);
  EXPECT_TRUE(settings->models()[0].cipher->seal({"user", "pin", {}, "1"}, "1234").starts_with("v1.k1."));
  EXPECT_FALSE(settings->models()[1].cipher);
}

TEST_F(SecretsTest, without_a_file_models_with_secret_fields_are_refused_with_what_to_do) {
  EXPECT_TRUE(with_keys({declared("thing", "")}, ""));
  const auto refused = with_keys({declared("thing", ""), declared("user", ", secret = true")}, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("the secret fields user.pin with"));
  EXPECT_THAT(refused.error().message, testing::HasSubstr("openssl rand -base64 32"));
}

TEST_F(SecretsTest, a_file_that_is_named_is_looked_at_whether_or_not_it_is_needed) {
  for (const std::string& path : {key_file("k1 short\n"), directory + "/none", directory}) {
    const auto refused = with_keys({declared("thing", "")}, path);
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().kind, ErrorKind::usage);
    EXPECT_THAT(refused.error().message, testing::StartsWith("annals.toml:3:8: secrets.key_file: "));
  }
  EXPECT_FALSE(with_keys({declared("thing", "")}, key_file(one_key, 0640)));
}

}  // namespace
}  // namespace annals::server
