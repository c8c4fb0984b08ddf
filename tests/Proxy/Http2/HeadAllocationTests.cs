using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;
using Postern.Tests.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2;

[Collection("allocation")]
public sealed class HeadAllocationTests
{
    [Fact]
    public void WarmHeads_AreReadAndWrittenWithoutAllocation()
    {
        var client = new EncodedBlocks();
        const string Fields = ":method: POST|:scheme: http|:path: /pkg.Service/Call|:authority: doors:50051|content-type: application/grpc|te: trailers|user-agent: grpc-go/1.70|cookie: a=1|cookie: b=2|authorization: Bearer 0123456789|x-request-id: 8f2c";
        var first = client.Encode(Fields);
        var next = client.Encode(Fields);
        var answer = Block.Of(":status: 200|content-type: application/grpc|server: s|date: Mon, 21 Oct 2013 20:13:21 GMT");
        var end = Block.Of("grpc-status: 0");
        var (reader, decoder, answers, encoder) = (new HeadReader(), new HpackDecoder(4096), new HpackDecoder(4096), new HpackEncoder());
        var (head, response, trailers) = (new RequestHead(), new ResponseHead(), new HeaderBlock());
        byte[] buffer = [];
        Round(first);
        for (var i = 0; i < 2000; i++)
        {
            Round(next);
        }
        // The least of a few runs: a collection may trim the shared pools at any moment, and the next rent pays for it.
        var least = long.MaxValue;
        for (var run = 0; run < 5 && least > 0; run++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
            {
                Round(next);
            }
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);

        void Round(byte[] block)
        {
            Expect(reader.ReadRequest(decoder, block, false, head, HeadText.Limits) == Http2HeadError.None);
            Expect(HeadWriter.WriteRequest(encoder, head, ref buffer, 0) > 0);
            Expect(reader.ReadResponse(answers, answer, false, false, response, HeadText.Limits) == Http2HeadError.None);
            Expect(HeadWriter.WriteResponse(encoder, response, ref buffer, 0) > 0);
            Expect(reader.ReadTrailers(answers, end, trailers, HeadText.Limits) == Http2HeadError.None);
            Expect(HeadWriter.WriteTrailers(encoder, trailers, ref buffer, 0) > 0);
            head.Release();
            response.Release();
            trailers.Release();
        }
    }

    private static void Expect(bool met)
    {
        if (!met)
        {
            Assert.Fail("a head was refused"); // Assert.Equal would allocate
        }
    }
}
