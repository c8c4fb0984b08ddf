using System;
using System.Collections.Generic;
using System.Linq;
using Envoy.Service.Discovery.V3;
using FsCheck;
using FsCheck.Fluent;
using Postern.Xds.Discovery;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Tests.Xds.Discovery;

/// <summary>Incremental, against a model of both ends: whatever the order of differences, verdicts, changes of interest and reconnects.</summary>
public sealed class DeltaPropertyTests
{
    [Theory]
    [InlineData("CDS")]
    [InlineData("NPDS")]
    public void AnyInterleaving_HoldsWhatAModelHolds(string name)
    {
        var type = ResourceType.All.Single(candidate => candidate.ShortName == name);
        Prop.ForAll(ArbMap.Default.ArbFor<int[]>(), steps => { new Run(type).All(steps); return true; }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    private sealed class Run
    {
        private readonly DeltaState state;
        private readonly ResponseDecoder decoder;
        private readonly Dictionary<string, string> model = [];
        private readonly HashSet<string> told = []; // what the server believes we want
        private readonly HashSet<string> wanted = ["*"];
        private DecodedResponse? inWork;
        private string nonce = "";
        private int counter;
        private bool isFresh = true;

        public Run(ResourceType type)
        {
            state = new DeltaState(type);
            decoder = new ResponseDecoder(type, new Texts());
            state.Interest.Add("*");
            state.StartStream();
        }

        public void All(int[] steps)
        {
            foreach (var step in steps)
            {
                Step((uint)step);
                Assert.Equal(model.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}={pair.Value}"), state.Held.All.Select(item => $"{item.Resource.Name}={item.Resource.Config}").Order());
                Assert.Equal(wanted.Order(), state.Interest.Names().Order());
            }
        }

        private void Step(uint step)
        {
            var name = "r" + (step / 8 % 4);
            switch (step % 8)
            {
                case 0 or 1 when inWork is null && !state.HasAnswer && told.Contains("*"):
                    var removed = "r" + (step / 32 % 4);
                    Assert.True(state.TryBegin(nonce = $"n{++counter}"));
                    var response = Texts.Delta(state.Type, $"{counter}", nonce, [$"{name}={counter}"], removed == name ? [] : [removed]);
                    inWork = decoder.Decode(state.Read(response), state.Held);
                    Assert.Equal(isFresh && state.Type.ReplacesOnNewStream, inWork.IsFullSet);
                    break;
                case 2 when inWork is not null:
                    state.Held.Accept(inWork, DateTimeOffset.UnixEpoch);
                    state.Accept(inWork.Version);
                    Follow(inWork);
                    inWork = null;
                    isFresh = false;
                    Assert.False(state.HasRefusedSet);
                    break;
                case 3 when inWork is not null:
                    state.Reject(new Google.Rpc.Status { Code = 13 });
                    inWork = null;
                    if (isFresh && state.Type.ReplacesOnNewStream)
                    {
                        Assert.True(state.HasRefusedSet);
                        Reconnect(); // as the loop does
                    }
                    break;
                case 4 when step / 8 % 4 == 0:
                    Reconnect();
                    break;
                case 5 when wanted.Add(name):
                    state.Interest.Add(name);
                    break;
                case 6 when wanted.Remove(name):
                    state.Interest.Remove(name);
                    break;
                case 7:
                    Take();
                    break;
            }
        }

        private void Follow(DecodedResponse response)
        {
            if (response.IsFullSet)
            {
                model.Clear();
            }
            foreach (var name in response.Removed)
            {
                model.Remove(name);
            }
            foreach (var entry in response.Entries)
            {
                model[entry.Item.Resource.Name] = (string)entry.Item.Resource.Config;
            }
        }

        private void Reconnect()
        {
            state.StartStream();
            told.Clear();
            inWork = null;
            nonce = "";
            isFresh = true;
        }

        private void Take()
        {
            var isAnswer = state.HasAnswer;
            var isFirst = !state.IsRequested;
            if ((state.NextAnswer() ?? state.NextRequest()) is not { } request)
            {
                return;
            }
            var changes = request.ResourceNamesSubscribe.Count + request.ResourceNamesUnsubscribe.Count;
            Assert.Equal(isAnswer ? nonce : "", request.ResponseNonce);
            Assert.True(isAnswer ? changes == 0 : isFirst || changes > 0, $"{request}");
            Assert.True(inWork is null, "a request went out while a response was in work");
            Assert.Equal(isFirst && !state.Type.ReplacesOnNewStream ? model.Count : 0, request.InitialResourceVersions.Count);
            if (isFirst && changes == 0)
            {
                told.Add("*");
            }
            told.UnionWith(request.ResourceNamesSubscribe);
            told.ExceptWith(request.ResourceNamesUnsubscribe);
            if (!isAnswer)
            {
                Assert.Equal(wanted.Order(), told.Order());
            }
        }
    }
}
