#pragma once
// For tests: certificates made on the spot, and a client that speaks TLS. Confined to the test's thread.

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/time.h>

#include <memory>
#include <string>
#include <string_view>

#include "http/server.hpp"
#include "http/server/test_client.hpp"

namespace annals::http {

/// A certificate for `name`, signed with its own key.
inline TlsPair make_pair(const std::string& name, const char* password = nullptr) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, subject);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  const auto text_of = [](auto write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  };
  TlsPair pair;
  pair.certificate = text_of([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
  pair.key = text_of([&](BIO* bio) {
    PEM_write_bio_PrivateKey(bio, key, password != nullptr ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                             const_cast<char*>(password));
  });
  X509_free(certificate);
  EVP_PKEY_free(key);
  return pair;
}

inline ServerOptions tls_options(const TlsPair& pair) {
  ServerOptions options;
  options.tls = pair;
  return options;
}

struct TlsWishes {
  int version_max = TLS1_3_VERSION;
  std::string protocols = {};  ///< for ALPN, each behind its length
  int receive_buffer = 0;
};

/// Blocks, for ten seconds at most.
class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsWishes& wishes = {}) : socket_(port, wishes.receive_buffer) {
    const timeval patience{10, 0};
    ::setsockopt(socket_.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context_.get(), 0);
    SSL_CTX_set_max_proto_version(context_.get(), wishes.version_max);
    SSL_CTX_set_security_level(context_.get(), 0);
    if (!wishes.protocols.empty()) {
      SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                              static_cast<unsigned>(wishes.protocols.size()));
    }
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket_.descriptor());
  }

  [[nodiscard]] bool shake_hands() { return SSL_connect(session_.get()) == 1; }

  bool send(std::string_view bytes) {
    std::size_t count = 0;
    return SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count) == 1;
  }

  /// Reads until `received` has `size` bytes or more; false when the connection ends before.
  bool receive(std::string& received, std::size_t size) {
    while (received.size() < size) {
      if (!receive_some(received)) return false;
    }
    return true;
  }
  bool receive_some(std::string& received) {
    char bytes[16384];
    std::size_t count = 0;
    if (SSL_read_ex(session_.get(), bytes, sizeof bytes, &count) != 1) return false;
    received.append(bytes, count);
    return true;
  }
  /// All up to the end. `said_goodbye` is true afterwards when that was no accident.
  std::string receive_to_end() {
    std::string received;
    while (receive_some(received)) continue;
    return received;
  }
  [[nodiscard]] bool said_goodbye() const { return (SSL_get_shutdown(session_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  void say_goodbye() { SSL_shutdown(session_.get()); }

  /// Sends a GET and gives the whole text of the reply, whose body ends in `end`.
  std::string get(std::string_view target, std::string_view end) {
    std::string received;
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!received.ends_with(end) && receive_some(received)) continue;
    return received;
  }

  [[nodiscard]] std::string version() const { return SSL_get_version(session_.get()); }
  [[nodiscard]] std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  /// The name in the server's certificate.
  [[nodiscard]] std::string server_name() const {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(session_.get()), X509_free);
    char name[256] = "";
    if (certificate)
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    return name;
  }
  TestClient& socket() { return socket_; }

 private:
  TestClient socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> session_{nullptr, SSL_free};
};

}  // namespace annals::http
