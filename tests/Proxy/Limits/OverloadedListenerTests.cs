using System;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Proxy.Overload;

namespace Postern.Tests.Proxy.Limits;

/// <summary>What an overloaded process does with connections; open ones go on.</summary>
public sealed class OverloadedListenerTests
{
    [Fact]
    public async Task RejectedConnection_IsResetAndCounted_OpenOnesGoOn()
    {
        var state = new OverloadState();
        using var rig = new LimitRig(new Admission(10, 0, state));
        using var open = await rig.ConnectAsync();
        using var served = await rig.AcceptAsync();
        state.Set(0, 0, 1, false, TimeoutScale.None);

        using var late = await rig.ConnectAsync();

        await LimitRig.AssertCutAsync(late);
        await rig.UntilAsync(rig.Scope + ".downstream_cx_overload_reject", 1);
        Assert.Equal((1, 1), (rig.Admission.RefusedByOverload, rig.Admission.Open));
        await open.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await served.ReceiveAsync(new byte[8]));
        Assert.Empty(rig.Records.Seen);
    }

    [Fact]
    public async Task StoppedListener_LetsConnectionsWait_AndServesThemAfterwards()
    {
        var state = new OverloadState();
        using var rig = new LimitRig(new Admission(10, 0, state));
        state.Set(0, 0, 0, true, TimeoutScale.None);
        using var pending = await rig.ConnectAsync(); // the accept that was under way takes it
        using var served = await rig.AcceptAsync();

        using var waiting = await rig.ConnectAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            using var moment = new System.Threading.CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            await waiting.ReceiveAsync(new byte[1], SocketFlags.None, moment.Token); // neither served nor refused
        });
        Assert.Equal(1, rig.Admission.Open);

        state.Set(0, 0, 0, false, TimeoutScale.None);
        using var servedLater = await rig.AcceptAsync();
        Assert.Equal(0, rig.Admission.RefusedByOverload);
    }
}
