using System.Linq;
using System.Threading.Tasks;
using Postern.Agent.Serve;
using Postern.Grpc;
using Postern.Xds.Discovery;

namespace Postern.Tests.Agent.Serve;

public sealed class DefinitionTests
{
    [Fact]
    public async Task Services_AreDescribedWithTheirMethods()
    {
        await using var server = new ResourceServer();
        Assert.Equal(ResourceType.All.Count + 1, server.Definitions.Length);
        foreach (var service in server.Definitions)
        {
            var described = service.File!.Services.Single(file => file.FullName == service.Name);
            var streams = described.Methods.Where(method => method is { IsClientStreaming: true, IsServerStreaming: true }); // Fetch is REST's
            Assert.Equal(streams.Select(method => method.Name).Order(), service.Methods.Keys.Order());
            Assert.All(service.Methods.Values, method => Assert.Equal(MethodType.DuplexStreaming, method.Type));
        }
    }
}
