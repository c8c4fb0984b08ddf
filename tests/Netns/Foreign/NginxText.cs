namespace Postern.Tests.Netns.Foreign;

/// <summary>nginx.conf texts.</summary>
internal static class NginxText
{
    /// <summary>HTTP/1.1 on 80 and HTTP/2 on 81, in clear text. Under /open: GET and PUT of files; /open/trailer/ adds a trailer to them, /open/who tells who asks and how; /open/limited takes 1000 bytes.</summary>
    internal static string Http(string folder) => Around(folder, $$"""
          server {
            listen 80 backlog=64; listen 81 http2;
            root {{folder}}/www;
            location /open/ { dav_methods PUT; create_full_put_path on; client_max_body_size 64m; }
            location /open/trailer/ { add_trailer X-Sum 42; }
            location /open/limited/ { dav_methods PUT; client_max_body_size 1000; }
            location /open/who { return 200 "$remote_addr $server_protocol $request_method $request_uri"; }
          }
        """);

    /// <summary>HTTP/1.1 and HTTP/2 by ALPN over TLS on 443, HTTP/1.1 in clear text on 80 and 82.</summary>
    internal static string Tls(string folder, string chain, string key) => Around(folder, $$"""
          server {
            listen 443 ssl http2;
            ssl_certificate {{chain}}; ssl_certificate_key {{key}}; ssl_protocols TLSv1.2 TLSv1.3;
            location / { return 200 "$server_protocol $ssl_protocol $ssl_server_name $request_uri"; }
          }
          server { listen 80; listen 82; location / { return 200 "$remote_addr $server_protocol $request_uri"; } }
        """);

    private static string Around(string folder, string servers) => $$"""
        daemon off; master_process off; pid {{folder}}/nginx.pid; error_log stderr;
        events { worker_connections 256; }
        http {
          access_log off; default_type application/octet-stream;
          client_body_temp_path {{folder}}/nginx-body; proxy_temp_path {{folder}}/nginx-proxy; fastcgi_temp_path {{folder}}/nginx-fastcgi;
          uwsgi_temp_path {{folder}}/nginx-uwsgi; scgi_temp_path {{folder}}/nginx-scgi;
        {{servers}}
        }
        """;
}
