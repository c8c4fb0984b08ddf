using System;
using System.Collections.Generic;
using FsCheck;
using FsCheck.Fluent;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

/// <summary>Whatever the order of responses, verdicts, answers and reconnects.</summary>
public sealed class DiscoveryPropertyTests
{
    [Fact]
    public void AnyInterleaving_KeepsTheRulesOfNoncesAndVersions() =>
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), steps => { Run(steps); return true; }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static void Run(int[] steps)
    {
        var state = new SotwState(ResourceType.Cluster);
        state.Interest.Add("*");
        state.StartStream();
        var known = new HashSet<string>(); // nonces of this stream
        var accepted = "";
        var counter = 0;
        var unanswered = 0;
        foreach (var step in steps)
        {
            switch ((uint)step % 5)
            {
                case 0 when unanswered == 0 && state.TryBegin($"n{++counter}"):
                    known.Add($"n{counter}");
                    unanswered++;
                    break;
                case 1 when state.IsInWork:
                    state.Accept(accepted = $"v{counter}");
                    break;
                case 2 when state.IsInWork:
                    state.Reject(new Google.Rpc.Status { Code = 13 });
                    break;
                case 3:
                    state.StartStream();
                    known.Clear();
                    unanswered = 0;
                    break;
                case 4:
                    var isAnswer = state.HasAnswer;
                    if ((state.NextAnswer() ?? state.NextRequest()) is { } request)
                    {
                        Assert.True(request.ResponseNonce.Length == 0 || known.Contains(request.ResponseNonce), $"nonce {request.ResponseNonce} is of another stream");
                        Assert.Equal(accepted, request.VersionInfo);
                        unanswered -= isAnswer ? 1 : 0;
                    }
                    break;
            }
            Assert.InRange(unanswered, 0, 1);
            Assert.Equal(accepted, state.Version);
        }
    }
}
