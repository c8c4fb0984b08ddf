using System;
using System.Net.Sockets;
using System.Threading.Tasks;
using Cilium;
using Google.Protobuf;

namespace Postern.Tests.Agent.AccessLog;

/// <summary>A proxy's end of the access log.</summary>
internal sealed class ProxySocket : IDisposable
{
    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    public ProxySocket(string path) => socket.Connect(new UnixDomainSocketEndPoint(path));

    public static LogEntry Entry(string policy = "10.0.0.1", EntryType type = EntryType.Request) => new()
    {
        Timestamp = 1_700_000_000_000_000_000,
        EntryType = type,
        PolicyName = policy,
        SourceSecurityId = 1001,
        SourceAddress = "10.0.0.2:4711",
        DestinationAddress = "10.0.0.1:80",
        IsIngress = true,
        ProxyId = 10001,
        Http = new HttpLogEntry { Method = "GET", Path = "/v1", Status = 200, HttpProtocol = HttpProtocol.Http11 },
    };

    public void Send(LogEntry entry) => Send(entry.ToByteArray());

    public void Send(byte[] packet) => socket.Send(packet);

    /// <summary>Waits until the server has closed.</summary>
    public async Task<int> ReadEndAsync() => await socket.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(20));

    public void Dispose() => socket.Dispose();
}
