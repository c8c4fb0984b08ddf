using System;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Limits;

/// <summary><c>max_downstream_connection_duration</c> of a tcp_proxy.</summary>
public sealed class TcpDurationTests
{
    [Fact]
    public async Task ConnectionThatLivesTooLong_IsResetThoughItIsBusy()
    {
        using var rig = new LimitRig(maxDuration: TimeSpan.FromMilliseconds(1));
        using var client = await rig.ConnectAsync();
        using var served = await rig.AcceptAsync();
        await Patience.UntilAsync(() => IsCut(client), "the cut");
        await Patience.UntilAsync(() => rig.Admission.Open == 0, "the connection's end", () => $"{rig.Admission.Open} open");
    }

    [Fact]
    public async Task WithoutABound_ItLivesOn()
    {
        using var rig = new LimitRig();
        using var client = await rig.ConnectAsync();
        using var served = await rig.AcceptAsync();
        await client.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await served.ReceiveAsync(new byte[8]));
        Assert.Equal(1, rig.Admission.Open);
    }

    private static bool IsCut(Socket client)
    {
        try
        {
            client.Send("x"u8);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
