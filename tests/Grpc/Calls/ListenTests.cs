using System;
using System.IO;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Grpc.Server;

namespace Postern.Tests.Grpc.Calls;

public sealed class ListenTests
{
    [Fact]
    public async Task SocketLeftBehind_IsReplacedAndHasItsMode()
    {
        var folder = Directory.CreateTempSubdirectory("postern-grpc-");
        var path = Path.Combine(folder.FullName, "s");
        var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(path));
        await using (var server = Server(path))
        {
            await server.StartAsync();
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path));
        }
        dead.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task SocketInUse_IsLeftAlone()
    {
        var folder = Directory.CreateTempSubdirectory("postern-grpc-");
        var path = Path.Combine(folder.FullName, "s");
        await using (var first = Server(path))
        await using (var second = Server(path))
        {
            await first.StartAsync();
            await Assert.ThrowsAsync<IOException>(() => second.StartAsync());
            Assert.True(Path.Exists(path));
        }
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task FileThatIsNoSocket_IsLeftAlone()
    {
        var folder = Directory.CreateTempSubdirectory("postern-grpc-");
        var path = Path.Combine(folder.FullName, "s");
        foreach (var content in new[] { "", "precious" })
        {
            File.WriteAllText(path, content);
            await using var server = Server(path);
            await Assert.ThrowsAsync<IOException>(() => server.StartAsync());
            Assert.Equal(content, File.ReadAllText(path));
        }
        folder.Delete(recursive: true);
    }

    private static GrpcServer Server(string path) => new(new GrpcServerOptions { EndPoints = [new UnixDomainSocketEndPoint(path)], Services = [] });
}
