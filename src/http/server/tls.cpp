#include "http/server/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/invariant.hpp"

namespace annals::http {
namespace {

constexpr const char* ciphers_of_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// OpenSSL's word for what went wrong last; its thread's list of errors is empty afterwards.
std::string last_reason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason != nullptr ? reason : "no reason given";
}

template <class T, auto free_it>
struct Free {
  void operator()(T* thing) const { free_it(thing); }
};
using Bio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;

Bio memory_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), 1u << 30))));
}

/// Instead of OpenSSL's own, which would ask at the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

std::unexpected<Error> refused(std::string what) {
  return fail(ErrorKind::usage, "bad_tls_pair", std::move(what));
}

Result<Instant> end_of(const X509& certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1)
    return refused("the TLS certificate has an end of its validity that cannot be read: " + last_reason());
  return Instant{std::int64_t{timegm(&time)} * 1'000'000};
}

/// The certificate, and those that lead from it to one the clients know.
Result<Instant> use_certificate(SSL_CTX* context, const std::string& text) {
  const Bio bio = memory_of(text);
  const Certificate first(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_password, nullptr));
  if (!first) {
    return refused("the TLS certificate cannot be read (" + last_reason() +
                   "); expected PEM: lines from BEGIN CERTIFICATE to END CERTIFICATE, the server's own first");
  }
  if (SSL_CTX_use_certificate(context, first.get()) != 1)
    return refused("the TLS certificate is not fit to be used: " + last_reason());
  for (;;) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1)
      return refused("a further certificate in the TLS certificate's file is not fit to be used: " + last_reason());
    static_cast<void>(next.release());  // the context's now
  }
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
    return refused("a further certificate in the TLS certificate's file cannot be read: " + last_reason());
  ERR_clear_error();
  return end_of(*first);
}

Result<> use_key(SSL_CTX* context, const std::string& text) {
  const Bio bio = memory_of(text);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) {
    return refused("the TLS key cannot be read (" + last_reason() +
                   "); expected PEM: a private key without a password, such as `openssl pkey` writes");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1)
    return refused("the TLS key is not the one of the certificate (" + last_reason() +
                   "); give the pair that was made together");
  return {};
}

/// ALPN: http/1.1 is what this server speaks. Who offers other protocols only is told so (RFC 7301 section 3.2).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr std::string_view spoken = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(spoken.data()),
                                            static_cast<unsigned>(spoken.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A session's way to its socket. OpenSSL's own would raise SIGPIPE, and would go on with a number that is somebody
// else's once the socket is closed.

template <class Call>
int exchange_bytes(BIO* bio, Call call) {
  BIO_clear_retry_flags(bio);
  const int descriptor = *static_cast<const int*>(BIO_get_data(bio));
  if (descriptor < 0) return -1;
  ssize_t count = call(descriptor);
  while (count < 0 && errno == EINTR) count = call(descriptor);
  return static_cast<int>(count);
}

int write_to_socket(BIO* bio, const char* bytes, int size) {
  const int count = exchange_bytes(
      bio, [&](int descriptor) { return ::send(descriptor, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL); });
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  return count;
}

int read_from_socket(BIO* bio, char* bytes, int size) {
  const int count =
      exchange_bytes(bio, [&](int descriptor) { return ::recv(descriptor, bytes, static_cast<std::size_t>(size), 0); });
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return count;
}

long control_socket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "annals socket");
    INVARIANT(made != nullptr, "OpenSSL has memory at the start");
    BIO_meth_set_write(made, write_to_socket);
    BIO_meth_set_read(made, read_from_socket);
    BIO_meth_set_ctrl(made, control_socket);
    return made;
  }();
  return method;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::open(const TlsPair& pair) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return fail(ErrorKind::internal, "OpenSSL makes no context: " + last_reason());
  std::shared_ptr<TlsContext> made(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  INVARIANT(SSL_CTX_set_cipher_list(context, ciphers_of_1_2) == 1, "OpenSSL 3 has these ciphers");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A connection that waits keeps no buffers, and a write goes as far as the socket takes it.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets suffice, and need no memory here
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  made->expires_ = TRY(use_certificate(context, pair.certificate));
  TRY(use_key(context, pair.key));
  return made;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

TlsSession::TlsSession(const TlsContext& context, int descriptor)
    : session_(SSL_new(context.get())), descriptor_(descriptor) {
  BIO* bio = BIO_new(socket_method());
  if (session_ == nullptr || bio == nullptr) {
    SSL_free(session_);
    BIO_free(bio);
    throw std::bad_alloc();  // as the rest of the connection would
  }
  BIO_set_data(bio, &descriptor_);
  BIO_set_init(bio, 1);
  SSL_set_bio(session_, bio, bio);
  SSL_set_accept_state(session_);
}

TlsSession::~TlsSession() {
  SSL_free(session_);
}

TlsSession::Outcome TlsSession::shake_hands() {
  ERR_clear_error();
  return outcome_of(SSL_do_handshake(session_));
}

TlsSession::Outcome TlsSession::read(std::span<char> room, std::size_t& count) {
  if (failed_) return Outcome::failed;
  ERR_clear_error();
  return outcome_of(SSL_read_ex(session_, room.data(), room.size(), &count));
}

TlsSession::Outcome TlsSession::write(std::string_view bytes, std::size_t& count) {
  if (failed_) return Outcome::failed;
  ERR_clear_error();
  return outcome_of(SSL_write_ex(session_, bytes.data(), bytes.size(), &count));
}

void TlsSession::say_goodbye() {
  if (failed_ || SSL_in_init(session_) != 0) return;  // OpenSSL allows no further word
  ERR_clear_error();
  if (SSL_shutdown(session_) < 0) ERR_clear_error();
}

TlsSession::Outcome TlsSession::outcome_of(int answer) {
  if (answer == 1) return Outcome::done;
  const int error = SSL_get_error(session_, answer);
  if (error == SSL_ERROR_WANT_READ) return Outcome::wants_read;
  if (error == SSL_ERROR_WANT_WRITE) return Outcome::wants_write;
  if (error == SSL_ERROR_ZERO_RETURN) return Outcome::ended;
  failed_ = true;
  const unsigned long last = ERR_peek_last_error();
  reason_ = last == 0 ? "the connection broke" : last_reason();
  // A client that closes without a goodbye is common, and harmless: HTTP says by itself where a request ends.
  if (ERR_GET_LIB(last) == ERR_LIB_SSL && ERR_GET_REASON(last) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return Outcome::ended;
  return Outcome::failed;
}

std::string_view tls_alert_of_overload() {
  static constexpr char alert[] = {0x15, 3, 3, 0, 2, 2, 0x50};  // a record of two bytes: fatal, internal_error
  return {alert, sizeof alert};
}

}  // namespace annals::http
