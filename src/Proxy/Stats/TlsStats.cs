using System;
using System.IO;
using System.Net.Security;
using Postern.Proxy.Tls;

namespace Postern.Proxy.Stats;

/// <summary>Envoy's <c>ssl.*</c> of a listener or a cluster. Resumed sessions are not counted: .NET does not tell.</summary>
internal sealed class TlsStats(StatsScope scope)
{
    /// <summary>Handshakes that came through.</summary>
    public Counter Handshakes { get; } = scope.Counter("ssl.handshake");

    /// <summary>Handshakes that failed for another reason than the peer's certificate or its going away.</summary>
    public Counter Errors { get; } = scope.Counter("ssl.connection_error");

    /// <summary>Handshakes that came through without a certificate of the peer.</summary>
    public Counter NoCertificate { get; } = scope.Counter("ssl.no_certificate");

    public Counter VerifyNoCertificate { get; } = scope.Counter("ssl.fail_verify_no_cert");

    public Counter VerifyError { get; } = scope.Counter("ssl.fail_verify_error");

    public Counter VerifyName { get; } = scope.Counter("ssl.fail_verify_san");

    public Counter VerifyPin { get; } = scope.Counter("ssl.fail_verify_cert_hash");

    /// <summary>Handshakes under way, those that wait for their turn too.</summary>
    public Gauge Active { get; } = scope.Gauge("ssl.handshakes_active");

    /// <summary>Counts one that came through.</summary>
    public void OnDone(SslStream stream)
    {
        Handshakes.Increment();
        if (stream.RemoteCertificate is null)
        {
            NoCertificate.Increment();
        }
    }

    /// <summary>Counts one that did not.</summary>
    public void OnFailed(SslStream stream, Exception error)
    {
        switch (PeerCheck.FindRefusal(stream)?.Kind)
        {
            case PeerRefusalKind.NoCertificate:
                VerifyNoCertificate.Increment();
                break;
            case PeerRefusalKind.Certificate:
                VerifyError.Increment();
                break;
            case PeerRefusalKind.Name:
                VerifyName.Increment();
                break;
            case PeerRefusalKind.Pin:
                VerifyPin.Increment();
                break;
            case null when error is not (IOException or OperationCanceledException):
                Errors.Increment();
                break;
            default:
                break;
        }
    }
}
